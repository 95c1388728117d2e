/** A monitor in a process of its own, as a user starts it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../../infra/package-root.ts'

export const mainFile = join(packageRoot, 'dist', 'cli', 'main.js')

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
  const child = spawn(
    process.execPath,
    [mainFile, 'start', '--data-dir', dataDir, '--port', '0', ...args],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { LOG_LEVEL: 'warn', ...env } },
  )
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
