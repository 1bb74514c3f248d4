// One HTTP/2 connection to the first host; a request for each further argument, `LABEL AUTHORITY SCHEME [HOST]`, with the secret. Prints
// each status, or the code of a reset.
import http2 from 'node:http2';

const [host, ...requests] = process.argv.slice(2);
const session = http2.connect(`https://${host}`);
session.on('error', (error) => console.log(`SESSION ${error.code}`));
await Promise.all(requests.map(async (request) => {
  const [label, authority, scheme, named] = request.split(' ');
  const headers = { ':authority': authority, ':scheme': scheme, ':path': `/${label}`, authorization: `Bearer ${process.env.API_KEY}` };
  const stream = session.request(named === undefined ? headers : { ...headers, host: named });
  const status = await new Promise((resolve) => {
    stream.once('response', (answer) => resolve(`${answer[':status']} ${answer['x-decoy-blocked'] ?? 'passed'}`));
    stream.on('error', () => undefined).once('close', () => resolve(`reset ${stream.rstCode}`));
    stream.resume().end();
  });
  console.log(`${label} ${status}`);
}));
session.close();
