# Every client once; one that fails says so and does not keep the others from running.
echo "key: $API_KEY"
curl -sS https://api.example.test/curl -H "authorization: Bearer $API_KEY" | sed 's/^/curl: /'; echo
python3 client.py urllib
python3 client.py requests
python3 client.py httpx
node client.mjs
./client-go
java Client.java
node openai.mjs
node anthropic.mjs
git clone -q "https://x-access-token:$GIT_TOKEN@git.example.test/repo.git" /tmp/clone && echo "git: $(cat /tmp/clone/file.txt)"
