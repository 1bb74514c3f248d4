# Every client once; one that fails says so and does not keep the others from running.
# NODE_EXTRA_CA_CERTS makes Deno's node:https ask for the right to see roots.
DENO_AUTH_TOKENS="$API_KEY@api.example.test" ./deno run --quiet --allow-net --allow-env --allow-import --allow-sys=ca deno-client.mjs
while read -r version java; do
	"$java" OldClient "$version" &
done <javas
wait
node stripe.mjs
node bedrock.mjs
