import https from 'node:https';
// A module of a private host: Deno sends it the token DENO_AUTH_TOKENS has for it.
import { words } from 'https://api.example.test/greeting.js';

const headers = { authorization: `Bearer ${Deno.env.get('API_KEY')}` };
console.log(`deno, import: ${words}`);
console.log(`deno, fetch: ${await (await fetch('https://api.example.test/fetch', { headers })).text()}`);
https.get('https://api.example.test/node-https', { headers }, async (response) => {
  let body = '';
  for await (const chunk of response) body += chunk;
  console.log(`deno, node:https: ${body}`);
});
