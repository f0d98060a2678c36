"""What a task's own exact score counts beside passed: means, and runs that followed a planted instruction."""
