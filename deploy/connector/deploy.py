#!/usr/bin/env python3
"""Deployment tool of the connector for Amazon CloudFront; see `deploy.py --help`. Requires boto3."""

import sys

from deployment.cli import main

if __name__ == "__main__":
    sys.exit(main())
