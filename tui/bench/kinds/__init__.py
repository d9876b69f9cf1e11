"""One file per thing that can be measured; `faultline bench --help` lists this folder."""
