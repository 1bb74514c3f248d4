import { createRequire as decoyCreateRequire } from 'node:module'; import { fileURLToPath as decoyFileURLToPath } from 'node:url'; const require = decoyCreateRequire(import.meta.url); const __filename = decoyFileURLToPath(import.meta.url); const __dirname = decoyFileURLToPath(new URL('.', import.meta.url));
import"./chunk-TTKTZUAU.js";var VERSION="0.1.0";export{VERSION};
