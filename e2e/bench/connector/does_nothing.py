def lambda_handler(event, _context):
    return event["Records"][0]["cf"]["request"]
