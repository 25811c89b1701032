"""What does each parameter of a recurrent network do? A Hydra sweep harness over PyTorch's modules on MNIST."""

__version__ = "0.1.0"
