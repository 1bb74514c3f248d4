import { execFile, execFileSync, spawn } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { randomUUID } from 'node:crypto'

const binary = resolve(import.meta.dirname, `../../dist/decoy-guest-linux-${process.arch === 'arm64' ? 'arm64' : 'x64'}`)

export type GuestImage = AsyncDisposable & {
  /** Marks every container of this test file, so that disposal finds those a failed test left. */
  label: string
  id: string
}

/** Imports an image that holds the committed guest program and mount points for the machine's own toolchain. */
export function openGuestImage(): GuestImage {
  const label = `decoy.test=${randomUUID()}`
  const root = mkdtempSync(join(tmpdir(), 'decoy-image-'))
  chmodSync(root, 0o755)
  for (const folder of ['usr', 'etc', 'tmp', 'run/decoy', 'proc', 'sys', 'dev']) mkdirSync(join(root, folder), { recursive: true })
  chmodSync(join(root, 'tmp'), 0o1777)
  for (const link of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${link}`, join(root, link))
  copyFileSync(binary, join(root, 'decoy-guest'))
  chmodSync(join(root, 'decoy-guest'), 0o755)
  const archive = execFileSync('tar', ['-C', root, '--owner=0', '--group=0', '-c', '.'], { maxBuffer: 64 << 20 })
  rmSync(root, { recursive: true })
  const id = execFileSync('docker', ['import', '--change', `LABEL ${label}`, '-'], { input: archive, encoding: 'utf8' }).trim()
  return {
    label,
    id,
    async [Symbol.asyncDispose]() {
      const left = execFileSync('docker', ['ps', '-aq', '--filter', `label=${label}`], { encoding: 'utf8' }).split('\n').filter(Boolean)
      if (left.length > 0) execFileSync('docker', ['rm', '-f', ...left])
      execFileSync('docker', ['rmi', '-f', id])
    },
  }
}

export type Ran = { code: number; stdout: string; stderr: string; milliseconds: number }

/** Runs the docker CLI to its end; a non-zero exit is a result, not an error. */
export function docker(args: string[]): Promise<Ran> {
  const from = performance.now()
  return new Promise((done) => {
    execFile('docker', args, { encoding: 'utf8', maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      done({ code, stdout, stderr, milliseconds: performance.now() - from })
    })
  })
}

/** Starts the docker CLI with its standard streams open. */
export function dockerStreams(args: string[]) {
  return spawn('docker', args, { stdio: ['pipe', 'pipe', 'pipe'] })
}
