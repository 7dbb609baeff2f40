# Standard logs (v2) of @DISTRIBUTION@ to the node, by Firehose.
# Set the bucket, which keeps the records that the node did not accept. The file firehose-key has the access key of the
# node (logs.access_key_file).
set -eu
bucket=BUCKET
name=@NAME@-logs
role=$(aws iam create-role --role-name "$name" --query Role.Arn --output text \
  --assume-role-policy-document '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": "firehose.amazonaws.com"}}]}')
aws iam put-role-policy --role-name "$name" --policy-name logs --policy-document "{\"Version\": \"2012-10-17\",
  \"Statement\": [{\"Effect\": \"Allow\", \"Resource\": [\"arn:aws:s3:::$bucket\", \"arn:aws:s3:::$bucket/$name/*\"],
  \"Action\": [\"s3:AbortMultipartUpload\", \"s3:GetBucketLocation\", \"s3:ListBucket\",
    \"s3:ListBucketMultipartUploads\", \"s3:PutObject\"]}]}"
# A new role takes some seconds to propagate.
sleep 20
# The key is no argument: other users of this machine can read those.
stream=$(aws firehose create-delivery-stream --region us-east-1 --delivery-stream-name "$name" \
  --delivery-stream-type DirectPut --tags Key=LogDeliveryEnabled,Value=true --query DeliveryStreamARN --output text \
  --http-endpoint-destination-configuration file:///dev/stdin <<END
{"EndpointConfiguration": {"Name": "wallarm-node", "Url": "@URL@", "AccessKey": "$(cat firehose-key)"},
 "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 10},
 "RequestConfiguration": {"ContentEncoding": "GZIP"},
 "RetryOptions": {"DurationInSeconds": 7200},
 "RoleARN": "$role",
 "S3BackupMode": "FailedDataOnly",
 "S3Configuration": {"RoleARN": "$role", "BucketARN": "arn:aws:s3:::$bucket", "Prefix": "$name/",
   "CompressionFormat": "GZIP"}}
END
)
aws logs put-delivery-source --region us-east-1 --name "@NAME@-@DISTRIBUTION@" --log-type ACCESS_LOGS \
  --resource-arn "@ARN@"
destination=$(aws logs put-delivery-destination --region us-east-1 --name "$name" --output-format json \
  --delivery-destination-configuration "destinationResourceArn=$stream" \
  --query deliveryDestination.arn --output text)
aws logs create-delivery --region us-east-1 --delivery-source-name "@NAME@-@DISTRIBUTION@" \
  --delivery-destination-arn "$destination" \
  --record-fields @FIELDS@
