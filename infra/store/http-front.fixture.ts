/** A front that can be killed and started again, as a server can. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const child = fileURLToPath(new URL('./http-front-child.fixture.js', import.meta.url))

export interface FrontProcess {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** As a power cut: nothing under way is finished. */
  kill(): Promise<void>
  /** Finishes what is under way. */
  stop(): Promise<void>
}

/** Restarted on the same folder and port it is the same server to its clients. */
export async function startFrontProcess(options: {
  readonly path: string
  /** A free one unless told. */
  readonly port?: number
}): Promise<FrontProcess> {
  const { path, port = 0 } = options
  const running = spawn(process.execPath, ['--enable-source-maps', child, path, String(port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Statements run on these threads, and clients must not wait for each other's.
    env: { UV_THREADPOOL_SIZE: '16' },
  })
  const gone = once(running, 'exit')
  const lines = createInterface({ input: running.stdout })
  const url = await Promise.race([
    once(lines, 'line').then(([line]) => String(line)),
    gone.then(([code]) => {
      throw new Error(`The front ended with ${code} before it listened`)
    }),
  ])
  return {
    url,
    port: Number(new URL(url).port),
    pid: running.pid ?? 0,
    async kill() {
      running.kill('SIGKILL')
      await gone
    },
    async stop() {
      running.stdin.end()
      await gone
    },
  }
}
