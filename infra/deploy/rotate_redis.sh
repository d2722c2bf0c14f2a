#!/usr/bin/env bash
# Set a new password of Redis, the first one too: rotate_redis.sh ENVIRONMENT (adloop-staging, adloop-production)
# Takes the secret ENVIRONMENT/redis and the user ENVIRONMENT-adloop, as infra/terraform names them. The password before
# stays valid beside the new one until the next rotation, so that servers change over one by one. Nothing secret is
# printed or written to a file.
set -euo pipefail
name=${1:?which environment? adloop-staging or adloop-production}

host=$(aws elasticache describe-replication-groups --replication-group-id "$name" \
  --query 'ReplicationGroups[0].NodeGroups[0].PrimaryEndpoint.Address' --output text)
new=$(aws secretsmanager get-random-password --password-length 48 --exclude-punctuation \
  --query RandomPassword --output text)
# The address that servers use now has the password before; there is no address the first time.
now=
if [ "$(aws secretsmanager describe-secret --secret-id "$name/redis" --query VersionIdsToStages --output text)" != None ]; then
  now=$(aws secretsmanager get-secret-value --secret-id "$name/redis" --query SecretString --output text)
fi
before=${now#*:*:}
passwords=$new${now:+,${before%%@*}}

# Through a pipe, so that no process list shows a password.
aws elasticache modify-user --cli-input-json file:///dev/stdin > /dev/null << JSON
{"UserId": "$name-adloop", "AuthenticationMode": {"Type": "password", "Passwords": ["${passwords//,/\", \"}"]}}
JSON
aws secretsmanager put-secret-value --cli-input-json file:///dev/stdin > /dev/null << JSON
{"SecretId": "$name/redis", "SecretString": "rediss://$name-adloop:$new@$host:6379/0"}
JSON
echo "$name/redis has a new password; restart what uses it: docs/operations.md"
