/**
 * The process of a pipeline, one life after another until it is killed. Commands come on standard input,
 * answers go to standard output: written at once, so that what was said before a SIGKILL is heard.
 */
import { writeFileSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../../../infra/clock.ts'
import { AppError } from '../../../infra/errors.ts'
import { deferred } from '../../../infra/log/log.fixture.ts'
import { type Log, topics } from '../../../infra/log/log.ts'
import type { Store } from '../../../infra/store/store.ts'
import type { StoredRow } from '../history.ts'
import type { Held } from './faulty-store.ts'
import { createLife, type Life } from './life.ts'
import type { Answer, Command, Inspection, LifeOrder } from './messages.ts'
import { openLog, openStore } from './places.ts'
import { Tripwires } from './tripwires.ts'

function say(answer: Answer): void {
  writeSync(1, `${JSON.stringify(answer)}\n`)
}

interface Open extends Life {
  readonly log: Log
  readonly wires: Tripwires
  readonly order: LifeOrder
}

let open: Open | undefined
/** It outlives a life whose insert is still on its way, as a server would. */
let store: Store | undefined
let held: { insert: Held; arrived?: Promise<unknown> }[] = []
let logClockJump = 0

const release = () => {
  for (const each of held) each.arrived ??= each.insert()
}

async function openLife(order: LifeOrder): Promise<void> {
  let processClockJump = 0
  logClockJump = 0
  const wires = new Tripwires(order.faults, {
    onStruck: ({ name }) => say({ said: 'struck', fault: name }),
    onCrash: () => void closeLife().then(() => say({ said: 'crashed' })),
    release,
    jumpProcessClock: (byMs) => {
      processClockJump += byMs
    },
    jumpLogClock: (byMs) => {
      logClockJump += byMs
    },
  })
  store ??= await openStore(order)
  const log = await openLog(order, () => systemClock() + logClockJump)
  const life = createLife({
    ...order,
    log,
    store,
    wires,
    clock: () => systemClock() + processClockJump,
    hold: (insert) => held.push({ insert }),
    onFatal: (error) => {
      if (open?.wires === wires && !wires.ended) say({ said: 'failed', why: String(error) })
    },
  })
  open = { ...life, log, wires, order }
  await life.pipeline.start()
}

const opensTried = 10

/** As a supervisor starts a process again whose broker or store does not answer. */
async function openInTheEnd(order: LifeOrder): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await openLife(order)
    } catch (error) {
      const isLasting = !(error instanceof AppError && error.retryable)
      if (isLasting || tried === opensTried) throw error
      await closeLife()
      await delay(200)
    }
  }
}

async function closeLife(): Promise<void> {
  const ended = open
  open = undefined
  await ended?.pipeline.stop()
  await ended?.log.close()
  if (held.length === 0) await closeStore()
}

async function closeStore(): Promise<void> {
  await store?.close()
  store = undefined
}

async function inspect(order: LifeOrder, quietPath: string): Promise<Inspection> {
  release()
  await Promise.all(held.map(({ arrived }) => arrived))
  held = []
  store ??= await openStore(order)
  const log = await openLog(order, systemClock)
  const rows = await readRows(store, order)
  await closeStore()
  const [letters, ends] = [await readLetters(log), await log.endOffsets(topics.posts)]
  await log.close()
  const calm = {
    ...order,
    store: { kind: 'embedded', path: quietPath } as const,
    batchRecords: 1_000,
    faults: [],
    breakage: undefined,
  }
  await openLife(calm)
  await open?.drained()
  const quiet = store === undefined ? [] : await readRows(store, calm)
  await closeLife()
  return { rows, quiet, letters, ends }
}

const readRows = (from: Store, { logTopic }: LifeOrder): Promise<StoredRow[]> =>
  from.query<StoredRow>('SELECT * FROM analyses WHERE log_topic = {logTopic:String}', { logTopic })

async function readLetters(log: Log): Promise<string[]> {
  const [end = 0] = await log.endOffsets(topics.dead)
  const letters: string[] = []
  const all = deferred()
  const follower = await log.follow(topics.dead, [0], async ({ records, next }) => {
    letters.push(...records.map(({ key }) => key ?? ''))
    if (next >= end) all.resolve()
  })
  if (end > 0) await all.promise
  await follower.stop()
  return letters
}

async function perform(command: Command): Promise<void> {
  switch (command.do) {
    case 'open':
      await openInTheEnd(command.order)
      say({ said: 'opened' })
      break
    case 'append': {
      const positions = await open?.log.append(topics.posts, command.records)
      if (positions !== undefined) say({ said: 'appended', id: command.id, positions })
      break
    }
    case 'drain':
      await open?.drained()
      if (open !== undefined) say({ said: 'drained' })
      break
    case 'stop':
      await closeLife()
      say({ said: 'stopped' })
      break
    case 'inspect':
      writeFileSync(command.file, JSON.stringify(await inspect(command.order, command.quietPath)))
      say({ said: 'inspected' })
  }
}

/** What a life that ended leaves undone is no failure. */
async function obey(command: Command): Promise<void> {
  const life = open
  await perform(command).catch((error: unknown) => {
    const ended = (open ?? life)?.wires.ended ?? false
    if (!ended) say({ said: 'failed', why: `${command.do}: ${String(error)}` })
  })
}

createInterface(process.stdin).on('line', (line) => void obey(JSON.parse(line) as Command))
