#!/usr/bin/env python3
"""Deploys the connector to Amazon CloudFront; `deploy.py --help` says how. It needs boto3."""

import sys

from deployment.cli import main

if __name__ == "__main__":
    sys.exit(main())
