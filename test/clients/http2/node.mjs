import http2 from 'node:http2';

const session = http2.connect('https://api.example.test');
const stream = session.request({ ':path': '/node', authorization: `Bearer ${process.env.API_KEY}` });
let body = '';
for await (const chunk of stream) body += chunk;
session.close();
console.log(`node: ${body} over 2`);
