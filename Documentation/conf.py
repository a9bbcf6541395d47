# SPDX-License-Identifier: GPL-2.0-only
#
# Builds these pages by themselves, beside a kernel tree:
#
#   KERNEL_SRC=/usr/src/linux sphinx-build -b html Documentation build/html
#
# In a kernel tree its own configuration is used, and this file is not needed.
"""Sphinx configuration."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
KERNEL = os.environ.get("KERNEL_SRC", "")
if not os.path.isdir(os.path.join(KERNEL, "Documentation", "sphinx")):
    sys.exit("KERNEL_SRC must name a kernel's source tree, for kernel-doc")

# The kernel's extensions look there for their tools.
os.environ["srctree"] = KERNEL
sys.path.insert(0, os.path.join(KERNEL, "Documentation", "sphinx"))

# pylint: disable=invalid-name
project = "/dev/sva"
extensions = ["kerneldoc", "kfigure"]
primary_domain = "c"
highlight_language = "none"
kerneldoc_srctree = os.path.dirname(HERE)
html_theme = "alabaster"
html_theme_options = {"page_width": "70em", "body_max_width": "48em"}
