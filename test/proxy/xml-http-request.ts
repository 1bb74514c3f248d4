import type http from 'node:http';
import { request as sendRequest } from 'node:http';

/** As much of a browser's XMLHttpRequest as clients of gRPC-Web use, over an agent: text comes piece by piece (XMLHttpRequest Standard, `responseText`). */
export function xmlHttpRequestOver(agent: http.Agent) {
  return class {
    readyState = 0;
    status = 0;
    statusText = '';
    responseText = '';
    responseType = '';
    withCredentials = false;
    timeout = 0;
    onreadystatechange: (() => void) | null = null;
    #request: http.ClientRequest | null = null;
    #response: http.IncomingMessage | null = null;

    open(method: string, address: string): void {
      const { hostname, pathname } = new URL(address);
      this.#request = sendRequest({ agent, method, path: pathname, headers: { host: hostname } });
      this.#move(1);
    }

    setRequestHeader(name: string, text: string): void {
      this.#request!.setHeader(name, text);
    }

    send(body: string): void {
      this.#request!.on('response', (response) => {
        this.#response = response.setEncoding('latin1');
        [this.status, this.statusText] = [response.statusCode!, response.statusMessage!];
        this.#move(2);
        response.on('data', (text: string) => {
          this.responseText += text;
          this.#move(3);
        }).on('end', () => this.#move(4)).on('error', () => this.#fail());
      }).on('error', () => this.#fail()).end(body, 'latin1');
    }

    getResponseHeader(name: string): string | null {
      return this.#response?.headers[name.toLowerCase()]?.toString() ?? null;
    }

    getAllResponseHeaders(): string {
      return Object.entries(this.#response?.headers ?? {}).map(([name, text]) => `${name}: ${String(text)}\r\n`).join('');
    }

    abort(): void {
      this.#request!.destroy();
    }

    #fail(): void {
      this.status = 0;
      this.#move(4);
    }

    #move(state: number): void {
      if (this.readyState === 4) return;
      this.readyState = state;
      this.onreadystatechange?.();
    }
  };
}
