// metrics-server for the Kubernetes of the test bed. Its own main program describes its API with what was generated for
// an older Kubernetes, and does not start with the libraries of ours; Kubernetes has the same descriptions.
package main

import (
	"os"

	"github.com/spf13/cobra"
	"k8s.io/apiserver/pkg/endpoints/openapi"
	"k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/cli"
	descriptions "k8s.io/kubernetes/pkg/generated/openapi"
	"sigs.k8s.io/metrics-server/cmd/metrics-server/app/options"
	"sigs.k8s.io/metrics-server/pkg/api"
)

func main() {
	chosen := options.NewOptions()
	command := &cobra.Command{
		Use:  "metrics-server",
		RunE: func(*cobra.Command, []string) error { return run(chosen) },
	}
	for _, flags := range chosen.Flags().FlagSets {
		command.Flags().AddFlagSet(flags)
	}
	os.Exit(cli.Run(command))
}

func run(chosen *options.Options) error {
	config, err := chosen.ServerConfig()
	if err != nil {
		return err
	}
	namer := openapi.NewDefinitionNamer(api.Scheme)
	config.Apiserver.OpenAPIConfig = server.DefaultOpenAPIConfig(descriptions.GetOpenAPIDefinitions, namer)
	config.Apiserver.OpenAPIV3Config = server.DefaultOpenAPIV3Config(descriptions.GetOpenAPIDefinitions, namer)
	metrics, err := config.Complete()
	if err != nil {
		return err
	}
	return metrics.RunUntil(server.SetupSignalHandler())
}
