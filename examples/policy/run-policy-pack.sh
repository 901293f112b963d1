#!/bin/sh
# Runs this policy pack for an engine whose language host cannot: pulumi preview --policy-pack examples/policy/run-policy-pack.sh
cd "$(dirname "$0")" || exit 1
exec node "$(node -p 'require.resolve("@pulumi/pulumi/cmd/run-policy-pack")')" "$1" .
