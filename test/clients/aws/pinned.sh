# Signed with placeholders: a request, one with a session's token, and an upload.
export AWS_REGION=us-east-1 AWS_STS_REGIONAL_ENDPOINTS=regional AWS_MAX_ATTEMPTS=1 AWS_PAGER=
identity='sts get-caller-identity --query Arn --output text'
echo "identity: $(aws $identity)"
echo "session: $(AWS_SESSION_TOKEN=$SESSION_TOKEN aws $identity)"
aws s3 cp upload.txt s3://greetings/a/upload.txt --only-show-errors && echo uploaded
