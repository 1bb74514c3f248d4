const response = await fetch('https://api.example.test/node', { headers: { authorization: `Bearer ${process.env.API_KEY}` } });
console.log(`node: ${await response.text()}`);
