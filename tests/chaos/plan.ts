/** The plan of a run: a pure function of seed and number. What the machine then does is timing. */
import { seededRandom } from '../../infra/seeded-random.ts'
import { Draw } from './draw.ts'
import {
  atRandom,
  type Fault,
  type FaultSet,
  faultSets,
  isOutside,
  type Kind,
  type Kinds,
  type Target,
} from './faults.ts'
import { drawRecords, type SentRecord } from './posts.ts'

export interface Plan {
  readonly partitions: number
  /** Records that the pipeline is given at a time, at most. */
  readonly batchRecords: number
  /** How long the pipeline rests after a small batch. */
  readonly flushMs: number
  /** Of the table; smaller than what a sleeping writer may miss, so that only the fence stops it. */
  readonly deduplicationWindow: number
  /** How much of the log the pipeline takes in hand before it pauses. */
  readonly holdBytes: number
  readonly lives: readonly Life[]
}

/** From one start of the pipeline to its end. */
export interface Life {
  readonly sends: readonly Send[]
  readonly faults: readonly Fault[]
  /** What ends it; the last life has none, it stops when all is stored. */
  readonly death: Fault | undefined
}

/** Records that are sent together. */
export interface Send {
  readonly records: readonly SentRecord[]
  /** What the producer does when no answer comes: sends them again to the next life, or gives up. */
  readonly unanswered: 'repeat' | 'give-up'
}

export interface PlanOptions {
  readonly seed: number
  readonly run: number
  readonly target: Target
  /** Only this fault, once in every life but the last. */
  readonly only?: string | undefined
}

export function drawPlan({ seed, run, target, only }: PlanOptions): Plan {
  const draw = new Draw(seededRandom(seed * 1_000_003 + run))
  const records = drawRecords(draw, `${seed}-${run}`, draw.integer(50, 200), {
    repeats: draw.oneOf([0, 0.1, 0.3]),
    poison: draw.oneOf([0, 0.02, 0.1]),
    controls: draw.oneOf([0, 0, 0.05]),
  })
  const count = draw.integer(2, 4)
  const sends = drawSends(draw, records)
  const set = faultSets[target]
  return {
    partitions: draw.oneOf([1, 1, 2, 3]),
    batchRecords: draw.oneOf([10, 30, 1_000]),
    flushMs: draw.oneOf([1, 10, 30]),
    deduplicationWindow: draw.oneOf([2, 5, 1_000]),
    holdBytes: draw.oneOf([1_000, 1_000_000]),
    lives: Array.from({ length: count }, (_, life) => ({
      sends: share(sends, life, count),
      ...(only === undefined
        ? drawFaults(draw, set, life, count)
        : onlyFault(draw, set, only, life === count - 1)),
    })),
  }
}

/** The life's part of all, in order. */
function share<T>(all: readonly T[], life: number, lives: number): readonly T[] {
  const at = (n: number): number => Math.floor((all.length * n) / lives)
  return all.slice(at(life), at(life + 1))
}

function drawSends(draw: Draw, records: readonly SentRecord[]): Send[] {
  const sends: Send[] = []
  for (let from = 0; from < records.length; ) {
    const next = from + draw.integer(1, 25)
    sends.push({
      records: records.slice(from, next),
      unanswered: draw.chance(0.8) ? 'repeat' : 'give-up',
    })
    from = next
  }
  return sends
}

type Faults = Pick<Life, 'faults' | 'death'>

function drawFaults(draw: Draw, { passing, fatal }: FaultSet, life: number, lives: number): Faults {
  const faults = Array.from({ length: draw.oneOf([0, 1, 1, 2]) }, () => drawFault(draw, passing))
  const release = draw.chance(0.7) ? [drawRelease(draw)] : []
  return {
    faults: [...faults, ...(life > 0 ? release : [])],
    death: life === lives - 1 ? undefined : drawFault(draw, fatal),
  }
}

function onlyFault(
  draw: Draw,
  { passing, fatal }: FaultSet,
  name: string,
  isLast: boolean,
): Faults {
  const kind = passing[name]
  if (kind !== undefined) return { faults: [faultOf(draw, name, kind)], death: undefined }
  const death = fatal[name]
  if (death === undefined) throw new RangeError(`'${name}' is no fault`)
  return { faults: [drawRelease(draw)], death: isLast ? undefined : faultOf(draw, name, death) }
}

function drawFault(draw: Draw, among: Kinds): Fault {
  const [name, kind] = draw.oneOf(Object.entries(among))
  return faultOf(draw, name, kind)
}

function faultOf(draw: Draw, name: string, kind: Kind): Fault {
  const { action, point, nth = draw.oneOf([1, 1, 2, 3]), amount = [0, 0] } = kind
  return { name, action, point, nth, amount: draw.integer(...amount) }
}

/** Held inserts arrive while another writer is at work: before its insert, at the same moment, or after it. */
function drawRelease(draw: Draw): Fault {
  const point = draw.oneOf(['assigned', 'inserting', 'inserted'] as const)
  return { name: 'release', action: 'release', point, nth: draw.oneOf([1, 1, 2, 3]), amount: 0 }
}

/** For people: what strikes in each life. */
export function describePlan({ lives, ...rest }: Plan): string {
  const head = Object.entries(rest).map(([name, value]) => `${name} ${value}`)
  const lines = lives.map(({ sends, faults, death }, life) => {
    const records = sends.reduce((sum, each) => sum + each.records.length, 0)
    const struck = [...faults, ...(death === undefined ? [] : [death])].map(describeFault)
    return `  life ${life}: ${records} records; ${struck.join(', ') || 'no fault'}`
  })
  return [`  ${head.join(', ')}`, ...lines].join('\n')
}

function describeFault(fault: Fault): string {
  const { name, point, nth, amount } = fault
  const how = amount === 0 ? '' : ` by ${amount}`
  return name === atRandom || isOutside(fault)
    ? `${name} after ${amount} ms`
    : `${name} at ${point} no. ${nth}${how}`
}
