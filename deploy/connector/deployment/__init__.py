"""Deploys the connector's two functions to a CloudFront distribution, upgrades and removes them.

cli           commands and their options
steps         the steps of each command
bundle        new and deployed zips, and their parameters
functions     Lambda: create, update, publish, delete
distribution  CloudFront: function associations
role          IAM: the roles of the functions and of Firehose
access_logs   Firehose and CloudWatch Logs: delivery of access logs to the node
describe      the documents for the doctor, as JSON
policy        the IAM policies: of the tool's users, and the boundaries of the roles
naming        names of functions, validation of options
progress      output, errors, polling with a limit
"""
