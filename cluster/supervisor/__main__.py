"""`python -m cluster.supervisor`: started by exec from a front, never by hand."""

import sys

from cluster.supervisor.process import main

sys.exit(main())
