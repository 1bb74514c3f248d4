# Unsigned, with a key pair the sandbox really holds, with one of placeholders, and that with a session's token.
export AWS_REGION=us-east-1 AWS_STS_REGIONAL_ENDPOINTS=regional AWS_MAX_ATTEMPTS=1 AWS_PAGER=
identity='sts get-caller-identity --query Arn --output text'
echo "secret key: $AWS_SECRET_ACCESS_KEY"
echo "unsigned: $(aws s3 cp s3://greetings/aws - --no-sign-request)"
echo "held: $(AWS_ACCESS_KEY_ID=$HELD_ID AWS_SECRET_ACCESS_KEY=$HELD_KEY aws $identity)"
echo "placeholder: $(aws $identity)"
echo "session: $(AWS_SESSION_TOKEN=$SESSION_TOKEN aws $identity)"
