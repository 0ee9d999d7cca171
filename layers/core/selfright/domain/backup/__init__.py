"""What it takes to say that a backup is good: eight checks, each with a verdict, and the evidence for them."""
