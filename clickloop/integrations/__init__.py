"""A running service as the retriever of chatbots and the tools of agents."""
