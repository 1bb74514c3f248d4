import os
import sys
import urllib.request

headers = {"Authorization": "Bearer " + os.environ["API_KEY"]}
url = "https://api.example.test/"
if sys.argv[1] == "urllib":
    body = urllib.request.urlopen(urllib.request.Request(url + "urllib", headers=headers)).read().decode()
elif sys.argv[1] == "requests":
    import requests
    body = requests.get(url + "requests", headers=headers).text
else:
    import httpx
    # httpx 0.23, Debian 12's, looks at SSL_CERT_FILE as later ones do.
    body = httpx.get(url + "httpx", headers=headers).text
print(f"{sys.argv[1]}: {body}")
