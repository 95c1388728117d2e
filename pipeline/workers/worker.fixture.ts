/**
 * A worker process without a model, for fault tests: it speaks the protocol and does what the words in its texts say.
 *
 * A reading has one window of one token and the logits [length of the text, process id]. Words, each with what follows it up to a blank:
 * `die` ends the process, `crash` kills it, `hang` blocks it for ever, `fail` fails the job, `once:FILE` crashes it unless the file is there, and makes it,
 * `gate:FILE` blocks it until the file is there, `leak` makes it report ever more memory, `short` drops a reading.
 * The folder of the options says how it starts: `refuse`, `mute`, `perish-with:FILE` as long as the file is there, `linked:SOCKET` with a connection
 * that the system closes when the process has ended, anything else well.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { FromWorker, Provider, Read, Reading, WorkerOptions } from './protocol.ts'

const forever = new Int32Array(new SharedArrayBuffer(4))
const block = (ms?: number) => Atomics.wait(forever, 0, 0, ms)
const say = (message: FromWorker) => process.send?.(message)
const crash = () => process.kill(process.pid, 'SIGKILL')

const pollMs = 2
let memoryBytes = 1

function obey(word: string): void {
  const [verb, file = ''] = word.split(':')
  if (verb === 'die') {
    process.stderr.write('last words\u001b[31m of a worker\n')
    process.exit(3)
  }
  if (verb === 'crash') crash()
  if (verb === 'hang') block()
  if (verb === 'gate') while (!existsSync(file)) block(pollMs)
  if (verb === 'leak') memoryBytes *= 1_000
  if (verb === 'once' && !existsSync(file)) {
    writeFileSync(file, '')
    crash()
  }
}

function readingOf(text: string): Reading {
  for (const word of text.split(' ')) obey(word)
  return { windowTokens: [1], logits: Float32Array.of(text.length, process.pid) }
}

function answer({ job, texts }: Read): void {
  if (texts.some(({ text }) => text.split(' ').includes('fail'))) {
    say({ type: 'failed', job, message: 'a text says so' })
    return
  }
  const readings = texts.map(({ text }) => readingOf(text))
  if (texts.some(({ text }) => text.split(' ').includes('short'))) readings.pop()
  const tokens = { real: texts.length, padded: texts.length }
  say({ type: 'done', job, readings, tokens, batches: 1, computeMs: 1, memoryBytes })
}

function start({ folder, provider }: WorkerOptions): void {
  const [how, file = ''] = folder.split(':')
  if (how === 'mute') block()
  if (how === 'perish-with' && existsSync(file)) {
    process.stderr.write('no such\u0007library\n')
    process.exit(127)
  }
  if (how === 'refuse') {
    say({ type: 'refused', code: 'MODEL', message: 'The model is\nnot the one' })
    return
  }
  if (how === 'linked') connect(file, () => serve(provider)).unref()
  else serve(provider)
}

function serve(provider: Provider): void {
  process.on('message', answer)
  process.on('disconnect', () => process.exit())
  say({ type: 'ready', provider, speed: { provider: 1, cpu: 1 }, memoryBytes })
}

if (process.argv[1] === import.meta.filename)
  start(JSON.parse(process.argv[2] ?? '{}') as WorkerOptions)
