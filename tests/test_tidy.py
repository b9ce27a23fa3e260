"""The style of the tree, with the other tests."""

from tidy import test_the_style_holds as test_the_style_holds
