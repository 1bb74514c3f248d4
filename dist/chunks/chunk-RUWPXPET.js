import { createRequire as decoyCreateRequire } from 'node:module'; import { fileURLToPath as decoyFileURLToPath } from 'node:url'; const require = decoyCreateRequire(import.meta.url); const __filename = decoyFileURLToPath(import.meta.url); const __dirname = decoyFileURLToPath(new URL('.', import.meta.url));
import{printableSentence}from"./chunk-2KKERC5T.js";var MAX_LENGTH=1e3;function warn(text){process.stderr.write(`decoy: warning: ${printableSentence(text,MAX_LENGTH)}
`)}function tell(text){process.stderr.write(`decoy: ${printableSentence(text,MAX_LENGTH)}
`)}export{warn,tell};
