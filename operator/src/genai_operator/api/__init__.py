"""The custom resources of `genai-auto.dev`: models, rules, and the CRD that is generated from them."""
