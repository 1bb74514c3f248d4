import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { docker, dockerStreams, openGuestImage, type GuestImage } from './guest-image.ts'

let image: GuestImage

beforeAll(() => { image = openGuestImage() }, 60_000)
afterAll(async () => { await image[Symbol.asyncDispose]() }, 60_000)

describe('init reports', () => {
  it.each([
    ['success', 'echo hello', 0, 'hello\n'],
    ['the exit code', 'exit 7', 7, ''],
    ['a signal', 'kill -SEGV $$', 139, ''],
    ['its environment, and no other', 'env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= | sort', 0, 'A=1\nPATH=/usr/bin\n'],
    ['its directory', 'pwd', 0, '/usr\n'],
    ['its umask', 'umask', 0, '0027\n'],
    ['no standard input', 'cat; readlink /proc/self/fd/0', 0, '/dev/null\n'],
    ['no descriptor but the standard ones', 'ls /proc/self/fd', 0, '0\n1\n2\n3\n'], // 3: ls reading the directory
    ['no ignored and no blocked signal', 'grep -e SigBlk -e SigIgn /proc/self/status', 0, 'SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n'],
    ['a session of its own', 'ps -o sid= -p $$ | grep -qw $$ && echo own', 0, 'own\n'],
  ])('%s', async (_, script, code, output) => {
    const ended = await runInit({ argv: ['bash', '-c', script], env: ['A=1', 'PATH=/usr/bin'], cwd: '/usr', umask: 0o027 })
    expect(ended).toMatchObject({ code, reported: code, stdout: typeof output === 'string' ? output : expect.stringMatching(output) })
  })

  it.each([
    [{ argv: ['no-such-program'] }, 127, 'decoy: cannot run "no-such-program": not found\n'],
    [{ argv: ['echo hello'] }, 127, 'decoy: cannot run "echo hello": not found: it is one word with spaces in it, so give the program and its arguments as words of their own, or a script\n'],
    [{ argv: ['/etc'] }, 126, 'decoy: cannot run "/etc": permission denied\n'],
  ])('what it cannot start: %j', async (task, code, stderr) => {
    expect(await runInit(task)).toMatchObject({ code, reported: code, stderr })
  })

  it.each([
    ['no JSON', 'nonsense'],
    ['an empty argv', JSON.stringify({ token: 't', argv: [], env: [], cwd: '/', killAfterSeconds: 5 })],
    ['no token', JSON.stringify({ argv: ['true'], env: [], cwd: '/', killAfterSeconds: 5 })],
    ['no backstop', JSON.stringify({ token: 't', argv: ['true'], env: [], cwd: '/' })],
  ])('a task it does not take: %s', async (_, line) => {
    const ended = await runInit({ line })
    expect(ended).toMatchObject({ code: 125, reported: undefined, stderr: expect.stringMatching(/^decoy: cannot (read|run) the task: /) })
  })
})

describe('init starts nothing', () => {
  it.each([
    ['/nowhere', 'no such file or directory'], ['/usr/bin/env', 'not a directory'],
  ])('in %s, a directory it cannot enter', async (cwd, why) => {
    const ended = await runInit({ argv: ['echo', 'started'], cwd })
    const stderr = `decoy: cannot enter the working directory "${cwd}" (${why}): give one that the sandbox has and its user may enter, such as one in the workspace, or leave working-directory out\n`
    expect(ended).toMatchObject({ code: 125, reported: undefined, stdout: '', stderr })
  })

  it.each([
    ['without the seccomp filter of the engine', 'seccomp=unconfined', /^decoy: the engine starts containers without its seccomp filter: remove seccomp-profile /],
    ['without no_new_privs', 'no-new-privileges=false', /^decoy: the engine does not set no_new_privs/],
  ])('%s', async (_, option, message) => {
    const ended = await runInit({ argv: ['echo', 'started'], options: ['--security-opt', option] })
    expect(ended).toMatchObject({ code: 125, reported: undefined, stdout: '', stderr: expect.stringMatching(message) })
  })
})

describe('init ends', () => {
  it('what the command left behind, before it reports', async () => {
    const script = 'for i in 1 2 3; do (trap "" TERM INT HUP; while :; do echo left; sleep 0.01; done) & done; setsid sleep 1000 & sleep 0.1; exit 3'
    const ended = await runInit({ argv: ['bash', '-c', script] })
    expect(ended).toMatchObject({ code: 3, reported: 3, after: '' })
  })

  it('after a fork bomb', async () => {
    // What waits and exits must not need a fork of its own: under the bomb it would fail.
    const script = 'import subprocess, time\nsubprocess.Popen(["bash", "-c", "bomb() { bomb | bomb & }; bomb"], stderr=subprocess.DEVNULL)\ntime.sleep(2)\nraise SystemExit(5)'
    const ended = await runInit({ argv: ['python3', '-c', script], options: ['--pids-limit', '100'] })
    expect(ended).toMatchObject({ code: 5, reported: 5 })
  }, 60_000)

  it('and reaps orphans meanwhile', async () => {
    const script = 'for i in $(seq 50); do (sleep 0.01 &) ; done; sleep 0.5; ps -A -o stat= | grep -c Z'
    expect(await runInit({ argv: ['bash', '-c', script] })).toMatchObject({ stdout: '0\n' })
  })

  it('with the host: stdin closes, everything is killed', async () => {
    const ended = await runInit({ argv: ['bash', '-c', 'trap "" TERM; echo up; sleep 1000'], on: { up: (process) => process.stdin.end() } })
    expect(ended).toMatchObject({ code: 137, reported: undefined })
    expect(ended.milliseconds).toBeLessThan(10_000)
  })

  it('by itself when nobody ends it', async () => {
    const ended = await runInit({ argv: ['bash', '-c', 'sleep 1000'], killAfterSeconds: 1 })
    expect(ended).toMatchObject({ code: 137, reported: undefined })
  })

  it('on time although its report finds no reader', async () => {
    // Docker 20.10 answers nothing about a container whose attached stream is full, so the kernel is asked instead.
    const name = `decoy-${randomUUID()}`
    const running = start(name, [])
    const script = 'node -e "process.stdout.write(\'x\'.repeat(1<<24))" & sleep 0.5'
    running.stdin.write(`${JSON.stringify({ token: 't', argv: ['bash', '-c', script], env: ['PATH=/usr/bin:/usr/local/bin'], cwd: '/', killAfterSeconds: 3 })}\n`)
    await until(async () => (await docker(['inspect', '-f', '{{.State.Running}}', name])).stdout === 'true\n')
    const pid = (await docker(['inspect', '-f', '{{.State.Pid}}', name])).stdout.trim()
    const from = performance.now()
    await until(async () => !existsSync(`/proc/${pid}`))
    expect(performance.now() - from).toBeGreaterThan(1_500)
    running.stdout.resume()
    await new Promise((done) => running.once('close', done))
    expect(running.exitCode).toBe(137)
  }, 30_000)

  it('after 5 seconds without an acknowledgement', async () => {
    const ended = await runInit({ argv: ['true'], acknowledge: false })
    expect(ended).toMatchObject({ code: 0, reported: 0 })
    expect(ended.milliseconds).toBeGreaterThan(5_000)
  }, 20_000)

  it('when told to before it has a task', async () => {
    const name = `decoy-${randomUUID()}`
    const running = start(name, [])
    const exited = new Promise((done) => running.once('exit', done))
    await until(async () => (await docker(['inspect', '-f', '{{.State.Running}}', name])).stdout === 'true\n')
    await docker(['kill', '-s', 'TERM', name])
    expect(await exited).toBe(143)
  })
})

describe('init forwards', () => {
  it.each(['TERM', 'INT'])('SIG%s to everything, and goes on', async (signal) => {
    const script = `trap 'echo parent' ${signal}; (trap 'echo child; exit' ${signal}; echo up; while :; do sleep 0.05; done); sleep 0.3; exit 4`
    const ended = await runInit({ argv: ['bash', '-c', script], on: { up: (_, name) => void docker(['kill', '-s', signal, name]) } })
    expect(ended).toMatchObject({ code: 4, reported: 4 })
    expect(ended.stdout.split('\n').sort()).toEqual(['', 'child', 'parent', 'up'])
  })
})

describe('init withstands the command', () => {
  it('reading it: environment, memory, descriptors', async () => {
    const script = 'cat /proc/1/environ; cat /proc/1/maps; head -c1 /proc/1/mem; ls /proc/1/fd/; : < /proc/1/fd/0; readlink /proc/1/cwd /proc/1/exe; echo done'
    const ended = await runInit({ argv: ['bash', '-c', script] })
    expect(ended).toMatchObject({ code: 0, stdout: 'done\n' })
    expect(ended.stderr.match(/Permission denied/g)?.length).toBeGreaterThanOrEqual(4)
  })

  it('tracing it', async () => {
    const script = 'import ctypes; l = ctypes.CDLL(None, use_errno=True); print(l.ptrace(16, 1, 0, 0), ctypes.get_errno())'
    expect(await runInit({ argv: ['python3', '-c', script] })).toMatchObject({ stdout: '-1 1\n', reported: 0 })
  })

  it('sending it every signal, plain and queued', async () => {
    const ended = await runInit({ argv: ['python3', '-c', everySignal] })
    expect(ended).toMatchObject({ code: 9, reported: 9, stderr: '' })
  })

  it.each(['HUP', 'USR1', 'PIPE', 'QUIT', 'RTMIN'])('sending it SIG%s as the first thing it does', async (name) => {
    for (let round = 0; round < 3; round++) {
      expect(await runInit({ argv: ['bash', '-c', `kill -${name} 1; kill -${name} 1; exit 9`] }), `round ${round}`).toMatchObject({ code: 9, reported: 9, stderr: '' })
    }
  })

  it('forging its report', async () => {
    const ended = await runInit({ argv: ['bash', '-c', String.raw`printf '\0decoy:guess:0\0\n'; exit 6`] })
    expect(ended).toMatchObject({ code: 6, reported: 6 })
  })

  it('leaving stdout non-blocking and full', async () => {
    const script = 'import fcntl, os; fcntl.fcntl(1, fcntl.F_SETFL, os.O_NONBLOCK)\ntry:\n  while True: os.write(1, b"x" * 4096)\nexcept BlockingIOError: os._exit(8)'
    expect(await runInit({ argv: ['python3', '-c', script] })).toMatchObject({ code: 8, reported: 8 })
  })
})

it('starts fast and small', async () => {
  const times: number[] = []
  for (let round = 0; round < 5; round++) times.push((await runInit({ argv: ['true'] })).milliseconds)
  const { stdout } = await runInit({ argv: ['grep', '-e', 'VmRSS', '-e', 'Threads', '/proc/1/status'] })
  console.log(`docker run to exit: ${times.map(Math.round).join(' ')} ms; ${stdout.replaceAll(/\s+/g, ' ')}`)
})

type Docker = ReturnType<typeof dockerStreams>
type Task = {
  argv?: string[]; env?: string[]; cwd?: string; umask?: number; killAfterSeconds?: number
  line?: string; options?: string[]; acknowledge?: boolean
  /** What to do once the command has printed this. */
  on?: Record<string, (process: Docker, name: string) => void>
}
type Ended = { code: number; reported: number | undefined; stdout: string; after: string; stderr: string; milliseconds: number }

/** Plays the host's part: hands over the task, waits for the report, acknowledges it. */
function runInit(task: Task): Promise<Ended> {
  const token = randomUUID()
  const name = `decoy-${randomUUID()}`
  const { argv, env = ['PATH=/usr/local/bin:/usr/bin:/bin'], cwd = '/', umask, killAfterSeconds = 30 } = task
  const from = performance.now()
  const running = start(name, task.options ?? [])
  running.stdin.on('error', () => undefined)
  running.stdin.write(`${task.line ?? JSON.stringify({ token, argv, env, cwd, killAfterSeconds, umask })}\n`)
  let stdout = ''
  let stderr = ''
  let acknowledged = false
  const waiting = new Map(Object.entries(task.on ?? {}))
  const report = new RegExp(`\\0decoy:${token}:(\\d+)\\0\\n`)
  running.stdout.setEncoding('latin1').on('data', (text: string) => {
    stdout += text
    for (const [word, act] of waiting) {
      if (!stdout.includes(word)) continue
      waiting.delete(word)
      act(running, name)
    }
    if (task.acknowledge === false || acknowledged || !report.test(stdout)) return
    acknowledged = true
    running.stdin.write('\n')
  })
  running.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  return new Promise((done) => running.once('close', (code) => {
    const match = report.exec(stdout)
    const end = match === null ? stdout.length : match.index
    const after = match === null ? '' : stdout.slice(end + match[0].length)
    // Each stream has its own end: the engine may bring one's before the other's last words.
    const parts = stderr.split(new RegExp(report.source));
    expect(parts.slice(1)).toEqual(match === null ? [] : [match[1], '']);
    done({ code: code ?? -1, reported: match === null ? undefined : Number(match[1]), stdout: stdout.slice(0, end), after, stderr: parts[0] as string, milliseconds: performance.now() - from })
  }))
}

function start(name: string, options: string[]): Docker {
  return dockerStreams([
    'run', '-i', '--rm', '--name', name, '--label', image.label, '--network', 'none', '--user', '1001:1001', '--cap-drop', 'ALL',
    '--security-opt', 'no-new-privileges', '-e', 'OURS=1', '-v', '/usr:/usr:ro', ...options, image.id, '/decoy-guest', 'init',
  ])
}

async function until(probe: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await probe()) return
    await setTimeout(50)
  }
  throw new Error('the probe did not come true')
}

const everySignal = `
import ctypes, os, signal, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
for s in range(1, 65):
    if s in (signal.SIGTERM, signal.SIGINT): continue
    os.kill(1, s)
    info = ctypes.create_string_buffer(struct.pack('iii', s, 0, -1) + b'\\0' * 116)
    libc.syscall({'x86_64': 129, 'aarch64': 138}[os.uname().machine], 1, s, info)
    for t in os.listdir('/proc/1/task'): libc.syscall({'x86_64': 234, 'aarch64': 131}[os.uname().machine], 1, int(t), s)
time.sleep(0.3)
sys.exit(9)
`
