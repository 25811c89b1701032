"""The tutorial's own training loop, written down straight: what the harness is compared with.

``torchvision``'s MNIST through ``ToTensor`` and a ``DataLoader``, one image at a time; every batch copied to the
device; Adam at a constant rate; the last time step into a linear layer.
"""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import MNIST

INPUT_SIZE = SEQUENCE_LENGTH = 28
NUM_CLASSES = 10


class TutorialNetwork(nn.Module):
    """``out[:, -1]`` of a recurrent module into a linear layer."""

    def __init__(self, cell: Callable[..., nn.RNNBase], hidden_size: int, num_layers: int) -> None:
        """As the tutorial: ``batch_first=True``, everything else as PyTorch has it."""
        super().__init__()
        self.num_layers, self.hidden_size = num_layers, hidden_size
        self.is_lstm = cell is nn.LSTM
        self.recurrent = cell(INPUT_SIZE, hidden_size, num_layers, batch_first=True)
        self.linear = nn.Linear(hidden_size, NUM_CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``[batch, class]`` of images ``[batch, time, feature]``."""
        shape = (self.num_layers, images.size(0), self.hidden_size)
        h_0 = torch.zeros(shape).to(images.device)
        state = (h_0, torch.zeros(shape).to(images.device)) if self.is_lstm else h_0
        output, _ = self.recurrent(images, state)
        logits: Tensor = self.linear(output[:, -1, :])
        return logits


class TutorialLoop:
    """Data, network and optimizer of one run of the tutorial."""

    def __init__(
        self,
        root: Path,
        *,
        cell: Callable[..., nn.RNNBase] = nn.LSTM,
        hidden_size: int = 128,
        num_layers: int = 2,
        batch_size: int = 128,
        learning_rate: float = 0.01,
        seed: int = 0,
        train_images: int | None = None,
    ) -> None:
        """``train_images`` limits the epoch, for timing; None: all 60,000."""
        torch.manual_seed(seed)
        data = MNIST(root, train=True, transform=transforms.ToTensor())
        part = data if train_images is None else Subset(data, range(train_images))
        self.train_loader = DataLoader(part, batch_size=batch_size, shuffle=True)
        self.test_loader = DataLoader(
            MNIST(root, train=False, transform=transforms.ToTensor()), batch_size=batch_size, shuffle=False
        )
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = TutorialNetwork(cell, hidden_size, num_layers).to(self.device)
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=learning_rate)

    def train_epoch(self) -> float:
        """Train one epoch; the seconds it took."""
        start = time.perf_counter()
        self.network.train()
        for batch, labels in self.train_loader:
            images = batch.reshape(-1, SEQUENCE_LENGTH, INPUT_SIZE).to(self.device)
            loss = self.criterion(self.network(images), labels.to(self.device))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    def test_accuracy(self) -> float:
        """Accuracy on the 10,000 test images, a fraction."""
        self.network.eval()
        correct = total = 0
        with torch.no_grad():
            for batch, labels in self.test_loader:
                images = batch.reshape(-1, SEQUENCE_LENGTH, INPUT_SIZE).to(self.device)
                predicted = self.network(images).argmax(1).cpu()
                correct += int((predicted == labels).sum())
                total += len(labels)
        return correct / total
