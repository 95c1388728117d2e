/**
 * Workers without processes, for many schedules in little time: what happens to each is said by a list of fates, used up in the order things happen.
 * A reading's one logit is the number that the text is. They check what every worker is promised: two jobs at most, and suspects apart from all others, on a worker that has read nothing else.
 */
import assert from 'node:assert/strict'
import type { Read, Ready } from './protocol.ts'
import type { StartWorker, WorkerEvents, WorkerProcess } from './worker-process.ts'

export const fates = [
  'well',
  'dies before its answer',
  'dies after its answer',
  'fails',
  'has grown',
  'does not start',
] as const
export type Fate = (typeof fates)[number]

export interface ScriptedWorkers {
  readonly start: StartWorker
  /** How often each text was answered to the pool. */
  readonly answers: ReadonlyMap<string, number>
  readonly running: ReadonlySet<WorkerProcess>
}

export const ceilingBytes = 100

export const ready: Ready = {
  type: 'ready',
  provider: 'cpu',
  speed: { provider: 1, cpu: 1 },
  memoryBytes: 1,
}

export function scriptedWorkers(script: {
  readonly fates: readonly Fate[]
  kills(text: string): boolean
}): ScriptedWorkers {
  const left = [...script.fates]
  const answers = new Map<string, number>()
  const running = new Set<WorkerProcess>()
  const suspects = new Set<string>()
  let starts = 0
  let isFreshCertain = true

  function start(events: WorkerEvents): WorkerProcess {
    const jobs: Read[] = []
    let hasReadInnocents = false
    let isAboutToWork = false
    const worker: WorkerProcess = { send, kill: () => void setImmediate(end) }
    running.add(worker)
    // The first one always starts, so that there is a pool.
    if (starts++ > 0 && left[0] === 'does not start') {
      left.shift()
      isFreshCertain = false
      setImmediate(end)
    } else setImmediate(() => say(ready))
    return worker

    function say(message: Parameters<WorkerEvents['message']>[0]): void {
      if (running.has(worker)) events.message(message)
    }

    function send(job: Read): void {
      const suspected = job.texts.filter(({ text }) => suspects.has(text)).length
      assert.ok(suspected === 0 || suspected === job.texts.length, 'suspects among innocents')
      const besides = [...jobs, job].flatMap(({ texts }) => texts)
      assert.ok(jobs.length === 0 || !besides.some(({ text }) => suspects.has(text)), 'not alone')
      // Where workers do not start, or die while their successor already serves, one with a past is better than none.
      assert.ok(suspected === 0 || !hasReadInnocents || !isFreshCertain, 'a worker with a past')
      hasReadInnocents ||= suspected === 0
      jobs.push(job)
      assert.ok(jobs.length <= 2, 'more than two jobs in hand')
      workSoon()
    }

    function workSoon(): void {
      if (isAboutToWork) return
      isAboutToWork = true
      setImmediate(work)
    }

    function work(): void {
      isAboutToWork = false
      const [job] = jobs
      if (job === undefined || !running.has(worker)) return
      const fate = left.shift() ?? 'well'
      if (mustBreak(job, fate)) {
        if (fate === 'fails') say({ type: 'failed', job: job.job, message: 'as scripted' })
        else end()
        return
      }
      if (fate === 'has grown') isFreshCertain = false
      answer(job, fate === 'has grown' ? ceilingBytes + 1 : ceilingBytes)
      if (fate === 'dies after its answer' && !jobs.some(isOfOne)) end()
      else workSoon()
    }

    /** Chance hits no text that is alone: it would look like a killer. */
    function mustBreak(job: Read, fate: Fate): boolean {
      if (job.texts.some(({ text }) => script.kills(text))) return true
      return !isOfOne(job) && (fate === 'fails' || fate === 'dies before its answer')
    }

    function answer({ job, texts }: Read, memoryBytes: number): void {
      jobs.shift()
      for (const { text } of texts) {
        suspects.delete(text)
        answers.set(text, (answers.get(text) ?? 0) + 1)
      }
      const readings = texts.map(({ text }) => ({
        windowTokens: [1],
        logits: Float32Array.of(Number.parseInt(text, 10)),
      }))
      const tokens = { real: texts.length, padded: texts.length }
      say({ type: 'done', job, readings, tokens, batches: 1, computeMs: 1, memoryBytes })
    }

    function end(): void {
      if (!running.delete(worker)) return
      for (const { text } of jobs[0]?.texts ?? []) suspects.add(text)
      events.ended('ended as scripted')
    }
  }

  return { start, answers, running }
}

const isOfOne = ({ texts }: Read) => texts.length === 1
