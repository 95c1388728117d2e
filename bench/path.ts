/**
 * The whole path, from append to queryable: a real monitor in a process of its own, fed over HTTP with the bundled tweets under new ids.
 * Prints sustained posts/s, how long a post takes from append until it can be read back, and the memory of the process.
 *
 *   node dist/bench/path.js [POSTS]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createParser } from 'eventsource-parser'
import { packageRoot } from '../infra/package-root.ts'
import { caughtUp, pushPosts, startMonitor, stopMonitor } from '../tests/monitor-process.fixture.ts'

const total = Number(process.argv[2] ?? 100_000)
const postsPerPush = 500
const steadyPosts = 2_000
/** Merges and the alert engine go on for a while after a flood. */
const settleMs = 30_000
const steadyPerSecond = 100

const texts = readFileSync(join(packageRoot, 'data', 'market-tweets-2020.ndjson'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as { text: string; kind: string; publishedAt: string })

function postAt(index: number): object {
  const { text, kind, publishedAt } = texts[index % texts.length] ?? { text: 'none' }
  return { id: `bench-${index}`, source: 'bench', kind, text: `${text} ${index}`, publishedAt }
}

const range = (from: number, count: number): object[] =>
  Array.from({ length: count }, (_, i) => postAt(from + i))

/** Resident memory in MiB, from /proc (Linux). */
function residentMebibytes(pid: number | undefined): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const of = (key: string) => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024
  return `${of('VmRSS').toFixed(0)} MiB now, ${of('VmHWM').toFixed(0)} MiB at most`
}

const say = (line: string) => process.stdout.write(`${line}\n`)

const dataDir = mkdtempSync(join(tmpdir(), 'tickertone-bench-'))
const monitor = startMonitor(dataDir)
const url = await monitor.url

await reportDelays('empty store', total)

const started = performance.now()
for (let i = 0; i < total; i += postsPerPush) await pushPosts(url, range(i, postsPerPush))
const pushed = performance.now() - started
await caughtUp(url)
const stored = performance.now() - started
say(`pushed ${total} posts at ${((total / pushed) * 1_000).toFixed(0)} posts/s`)
say(`stored and queryable at ${((total / stored) * 1_000).toFixed(0)} posts/s, sustained`)
say(`memory at ${total} posts: ${residentMebibytes(monitor.child.pid)}`)

await reportDelays('right after', total + steadyPosts)
await delay(settleMs)
await reportDelays(`${settleMs / 1_000} s later`, total + 2 * steadyPosts)
await stopMonitor(monitor)
rmSync(dataDir, { recursive: true, force: true })

/** Pushes posts at a steady rate and prints how long they take from append until they can be read back. */
async function reportDelays(when: string, from: number): Promise<void> {
  const delays = readDelays(steadyPosts)
  const intervalMs = 100
  const perInterval = (steadyPerSecond * intervalMs) / 1_000
  const begun = performance.now()
  for (let sent = 0; sent < steadyPosts; sent += perInterval) {
    await pushPosts(url, range(from + sent, perInterval))
    await delay(Math.max(0, begun + (sent / perInterval + 1) * intervalMs - performance.now()))
  }
  const [p50, p99] = quantiles(await delays, [0.5, 0.99])
  say(`append to read back at ${steadyPerSecond} posts/s, ${when}: p50 ${p50} ms, p99 ${p99} ms`)
}

/** From appendedAt to the moment the stored post comes back over the live stream, in ms, of the next `count` posts. */
async function readDelays(count: number): Promise<number[]> {
  const measured: number[] = []
  const stream = await fetch(`${url}/api/stream`)
  const parser = createParser({
    onEvent({ event, data }) {
      if (event !== 'posts') return
      for (const { appendedAt } of JSON.parse(data) as { appendedAt: string }[])
        measured.push(Date.now() - Date.parse(appendedAt))
    },
  })
  for await (const chunk of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    parser.feed(chunk)
    if (measured.length >= count) break
  }
  return measured
}

function quantiles(values: number[], shares: readonly number[]): (number | undefined)[] {
  const sorted = values.toSorted((a, b) => a - b)
  return shares.map((share) => sorted[Math.floor(share * (sorted.length - 1))])
}
