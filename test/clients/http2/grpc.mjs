import grpc from '@grpc/grpc-js';

const bytes = (text) => Buffer.from(text);
const method = (name, requestStream, responseStream) => ({
  path: `/test.Words/${name}`, requestStream, responseStream, requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes,
});
const Client = grpc.makeGenericClientConstructor({ unary: method('Unary', false, false), both: method('Both', true, true) }, 'Words');
const client = new Client('grpc.example.test:443', grpc.credentials.createSsl());
const metadata = new grpc.Metadata();
metadata.set('authorization', `Bearer ${process.env.GRPC_TOKEN}`);

const answer = await new Promise((resolve) => client.unary('one', metadata, (error, message) => resolve(error?.message ?? String(message))));
console.log(`grpc, unary: ${answer}`);
const call = client.both(metadata);
call.on('error', (error) => console.log(`grpc, both: ${error.message}`));
// Each is written when the answer to the last one has come.
const words = ['two', 'three'];
call.write(words[0]);
call.on('data', (message) => {
  console.log(`grpc, both: ${String(message).trim()}`);
  words.shift();
  if (words.length > 0) call.write(words[0]);
  else call.end();
});
call.on('status', () => client.close());
