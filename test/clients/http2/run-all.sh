# Every client once; one that fails says so and does not keep the others from running.
curl -sS --http2 -H "authorization: Bearer $API_KEY" -w ' over %{http_version}\n' https://api.example.test/curl | sed 's/^/curl: /'
./client-go
node node.mjs
node grpc.mjs
node bedrock.mjs
