/**
 * `npm run -s build && node dist/bench/worker.js FILE.ndjson ... [--model FOLDER] [--soak TEXTS]`: what a worker process of an encoder costs, on the texts of the
 * files (rows with `text`; without files the bundled tweets). Tokenizer, padding by job size and batch limit, speed by batch limit, the whole path through
 * a process of one thread, and with --soak its memory after so many texts of 1 to 20,000 characters.
 */
import { fork } from 'node:child_process'
import { on } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { program } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { seededRandom } from '../infra/seeded-random.ts'
import { demoFile } from '../ingest/demo.ts'
import { minilmFolder, workerThreads } from '../pipeline/experts/registry.ts'
import { cleanText } from '../pipeline/text/clean.ts'
import { planBatches } from '../pipeline/workers/batches.ts'
import { type LoadedEncoder, loadEncoder } from '../pipeline/workers/load-encoder.ts'
import type { Done, FromWorker, Read, WorkerOptions } from '../pipeline/workers/protocol.ts'
import { createReader } from '../pipeline/workers/reader.ts'
import { openSession } from '../pipeline/workers/session.ts'
import { windowsOf } from '../pipeline/workers/windows.ts'

const jobTexts = [32, 64, 128, 256, 512]
const batchTokens = [256, 512, 1_024, 2_048, 4_096]
const sampleTexts = 512
const passes = 3

function textsOf(file: string): string[] {
  const rows = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return rows.map((row) => String(JSON.parse(row).text))
}

/** Texts in an order that depends on nothing but their number: rows of a file are often sorted. */
function shuffled<T>(values: readonly T[]): T[] {
  const random = seededRandom(1)
  const keyed = values.map((value) => ({ value, key: random() }))
  return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value)
}

/** Seconds of processor time of this process. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function reportTokenizer({ tokenizer }: LoadedEncoder, texts: readonly string[]): void {
  const cleaned = texts.map((text) => cleanText(text))
  let best = 0
  let tokens = 0
  for (let pass = 0; pass < passes; pass++) {
    const before = cpuSeconds()
    tokens = cleaned.reduce((sum, text) => sum + tokenizer.tokenize(text).length + 2, 0)
    best = Math.max(best, texts.length / (cpuSeconds() - before))
  }
  const mean = (tokens / texts.length).toFixed(1)
  print(
    `${texts.length} texts of ${mean} tokens; tokenizer ${Math.round(best)} texts/s of CPU time`,
  )
}

function reportPadding(lengths: readonly number[]): void {
  print('\npadding, share of all tokens that a batch holds: by texts a job and tokens a batch')
  print(['texts', ...batchTokens].map((head) => String(head).padStart(8)).join(''))
  for (const size of jobTexts) {
    const shares = batchTokens.map((limit) => percent(padding(lengths, size, limit)))
    print([size, ...shares].map((cell) => String(cell).padStart(8)).join(''))
  }
}

function padding(lengths: readonly number[], size: number, limit: number): number {
  let padded = 0
  for (let at = 0; at < lengths.length; at += size)
    for (const { windows, length } of planBatches(lengths.slice(at, at + size), limit))
      padded += windows.length * length
  return 1 - lengths.reduce((sum, length) => sum + length, 0) / padded
}

async function reportBatchLimits(encoder: LoadedEncoder, texts: readonly string[]): Promise<void> {
  const { model, manifest, tokenizer } = encoder
  const session = await openSession({ model, heads: manifest.heads, provider: 'cpu', threads: 1 })
  const sample = texts.slice(0, sampleTexts).map((text) => ({ title: '', text }))
  const best = new Map<number, number>(batchTokens.map((limit) => [limit, 0]))
  // In turns, so that what else the machine does slows all limits.
  for (let pass = 0; pass < passes; pass++)
    for (const maxBatchTokens of batchTokens) {
      const reader = createReader({ ...manifest, tokenizer, session, maxBatchTokens })
      const before = cpuSeconds()
      for (let at = 0; at < sample.length; at += 128) await reader.read(sample.slice(at, at + 128))
      const speed = sample.length / (cpuSeconds() - before)
      best.set(maxBatchTokens, Math.max(best.get(maxBatchTokens) ?? 0, speed))
    }
  await session.close()
  print(`\ntexts/s of CPU time, jobs of 128 texts, best of ${passes} passes over ${sample.length}`)
  for (const [limit, speed] of best)
    print(`${String(limit).padStart(8)} tokens a batch  ${speed.toFixed()}`)
}

interface Worker {
  read(texts: readonly string[]): Promise<Done>
  close(): void
}

async function startWorker(folder: string): Promise<Worker> {
  const options: WorkerOptions = {
    folder,
    provider: 'cpu',
    threads: workerThreads,
    maxBatchTokens: loadConfig({ env: {} }).pipeline.workers.maxBatchTokens,
    minSpeedup: 1,
  }
  const entry = join(import.meta.dirname, '../pipeline/workers/worker.js')
  const child = fork(entry, [JSON.stringify(options)], { serialization: 'advanced' })
  const messages = on(child, 'message', { close: ['exit'] })
  const next = async (type: FromWorker['type']) => {
    const { value } = await messages.next()
    if (value?.[0].type !== type) throw new Error(JSON.stringify(value?.[0]))
    return value[0]
  }
  await next('ready')
  let job = 0
  return {
    async read(texts) {
      const message: Read = {
        type: 'read',
        job: job++,
        texts: texts.map((text) => ({ title: '', text })),
      }
      child.send(message)
      return next('done')
    },
    close: () => child.disconnect(),
  }
}

async function reportProcess(folder: string, texts: readonly string[]): Promise<void> {
  const worker = await startWorker(folder)
  const sample = texts.slice(0, 4 * sampleTexts)
  await worker.read(sample.slice(0, 128))
  const waits: number[] = []
  const begun = performance.now()
  for (let at = 0; at < sample.length; at += 128) {
    const before = performance.now()
    await worker.read(sample.slice(at, at + 128))
    waits.push(performance.now() - before)
  }
  const seconds = (performance.now() - begun) / 1_000
  worker.close()
  const longest = Math.max(...waits).toFixed()
  print(
    `\nthrough a process of one thread: ${(sample.length / seconds).toFixed()} texts/s of wall time; the longest job of 128 texts took ${longest} ms`,
  )
}

/** Most texts as they come, every hundredth as long as posts may be. */
async function reportMemory(
  folder: string,
  texts: readonly string[],
  count: number,
): Promise<void> {
  const worker = await startWorker(folder)
  const printedTexts = 100 * Math.max(1, Math.round(count / 1_000))
  print('\nresident memory of a worker, in MB')
  for (let read = 0; read < count; ) {
    const job = Array.from({ length: 100 }, (_, i) => texts[(read + i) % texts.length] ?? '')
    job[0] = job.join(' ').slice(0, (read * 7) % 20_000)
    const { memoryBytes } = await worker.read(job)
    read += job.length
    if (read % printedTexts === 0 || read >= count)
      print(`${String(read).padStart(8)} texts  ${(memoryBytes / 1e6).toFixed()}`)
  }
  worker.close()
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

program
  .description('Measure a worker process of an encoder.')
  .argument('[files...]', 'NDJSON with texts')
  .option('--model <folder>', 'an artifact', minilmFolder)
  .option('--soak <texts>', 'texts to read before memory is printed', Number, 0)
  .action(async (files: string[], { model, soak }: { model: string; soak: number }) => {
    const chosen = files.length > 0 ? files : [demoFile]
    const texts = shuffled(chosen.flatMap(textsOf))
    const encoder = loadEncoder(model)
    const { manifest, tokenizer } = encoder
    const shape = { ...manifest, opening: tokenizer.opening, closing: tokenizer.closing }
    reportTokenizer(encoder, texts)
    const windows = texts.flatMap((text) => windowsOf(tokenizer.tokenize(cleanText(text)), shape))
    reportPadding(windows.map((window) => window.length))
    await reportBatchLimits(encoder, texts)
    await reportProcess(model, texts)
    if (soak > 0) await reportMemory(model, texts, soak)
  })
  .parse()
