/** A monitor in a process of its own, as a user starts it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { packageRoot } from '../infra/package-root.ts'

export const mainFile = join(packageRoot, 'dist', 'cli', 'main.js')

/** For tests that the encoder is not the point of: to start it takes a second and a core. */
export const withoutEncoder = { PIPELINE_EXPERTS: 'linear,lexicon' }

export interface MonitorProcess {
  readonly child: ChildProcess
  /** The address it printed; rejects when it ended before that. */
  readonly url: Promise<string>
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  stdout(): string
  stderr(): string
}

export function startMonitor(
  dataDir: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): MonitorProcess {
  return startProcess(['start', '--data-dir', dataDir, ...args], env)
}

/** Of a command that serves, on a free port. */
export function startProcess(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): MonitorProcess {
  const child = spawn(process.execPath, [mainFile, ...command, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { LOG_LEVEL: 'warn', ...env },
  })
  let stdout = ''
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }))
  const url = new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      stdout += `${line}\n`
      const address = /https?:\/\/\S+/.exec(line)
      if (address !== null) resolve(address[0].replace(/\/$/, ''))
    })
    void exited.then(() => reject(new Error(`ended before its address was printed: ${stderr}`)))
  })
  url.catch(() => undefined)
  return { child, url, exited, stdout: () => stdout, stderr: () => stderr }
}

/** Sends SIGTERM and waits for the end. */
export async function stopMonitor(monitor: MonitorProcess): Promise<number | null> {
  monitor.child.kill('SIGTERM')
  return (await monitor.exited).code
}

/** Runs a command of the command line to its end. */
export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [mainFile, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { LOG_LEVEL: 'warn', ...env },
  })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ])
  return { code, stdout, stderr }
}

/** Waits until everything in the log is stored. Asked without a pause, the monitor has less of a core for that. */
export async function caughtUp(url: string): Promise<void> {
  for (let waiting = 1; waiting > 0; await delay(20)) {
    const response = await fetch(`${url}/api/status`)
    waiting = ((await response.json()) as { waiting: number }).waiting
  }
}

export async function pushPosts(url: string, posts: readonly object[]): Promise<Response> {
  return fetch(`${url}/api/posts`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: posts.map((post) => JSON.stringify(post)).join('\n'),
  })
}
