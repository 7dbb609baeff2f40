"""Puts the connector's two functions before a CloudFront distribution, renews them, and takes them away.

cli           commands and their options
steps         what each command does, in order
bundle        the zips, their parameters, and what the deployed ones hold
functions     Lambda: create, update, publish, delete
distribution  CloudFront: associations, changed without touching anything else
role          IAM: the functions' role
describe      all that the doctor reads, as JSON
policy        the permissions a deployer needs
progress      lines for people, errors in plain words, waiting with an end
"""
