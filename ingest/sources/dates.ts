/**
 * Dates as publishers write them. Nothing is guessed: a time without a zone, a zone that names several places, or a day that does not
 * exist is no date. (Date.parse would take the first in this machine's zone, and read a year out of almost any text.)
 */
import { parseInstant } from '../contract.ts'

export interface ItemDate {
  /** Milliseconds since 1970. */
  readonly ms: number
  /** False when only the day is known: `ms` is its midnight in UTC. */
  readonly exact: boolean
}

export interface DateOptions {
  /** What a time without a zone is. */
  readonly withoutZone: 'unknown' | 'utc'
}

/** Minutes east of Greenwich. RFC 822 has the American ones; the others are as often seen, and mean one thing only. */
const zones: Readonly<Record<string, number>> = {
  UT: 0,
  UTC: 0,
  GMT: 0,
  Z: 0,
  WET: 0,
  EST: -300,
  EDT: -240,
  CST: -360,
  CDT: -300,
  MST: -420,
  MDT: -360,
  PST: -480,
  PDT: -420,
  CET: 60,
  CEST: 120,
  EET: 120,
  EEST: 180,
  MSK: 180,
  JST: 540,
  AEST: 600,
  AEDT: 660,
}
const months = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')

/** `Mon, 02 Jan 2006 15:04:05 -0700` and its relatives: no weekday, no seconds, two-digit years, month before day, long names. */
const dayFirst =
  /^(?:[a-z]+\.?,?\s+)?(\d{1,2})[\s-]+([a-z]{3,9})\.?[\s,-]+(\d{4}|\d{2})(?:[,\s]+(?:at\s+)?(.*))?$/i
const monthFirst =
  /^(?:[a-z]+\.?,?\s+)?([a-z]{3,9})\.?\s+(\d{1,2}),?\s+(\d{4})(?:[,\s]+(?:at\s+)?(.*))?$/i
const isoLike = /^(\d{4})-(\d{2})-(\d{2})(?:[T\s]+(.*))?$/i
const timeAndZone = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(am|pm)?\s*(.*)$/i
const longestText = 100

/** Undefined for what is no date from 1970 to 2299. */
export function parseItemDate(text: string, options: DateOptions): ItemDate | undefined {
  const trimmed = text.trim()
  if (trimmed.length > longestText) return undefined
  const instant = parseInstant(trimmed)
  if (instant !== undefined) return { ms: instant, exact: true }
  const parts = dayOf(trimmed)
  if (parts === undefined) return undefined
  const day = `${parts.year}-${two(parts.month)}-${two(parts.day)}`
  if (parts.rest === '') return midnightOf(day)
  const time = timeOf(parts.rest, options)
  const ms = time === undefined ? undefined : parseInstant(`${day}T${time}`)
  return ms === undefined ? undefined : { ms, exact: true }
}

/** A number of seconds or milliseconds since 1970. */
export function dateOfNumber(value: number, unitMs: 1 | 1_000): ItemDate | undefined {
  const at = new Date(Math.trunc(value * unitMs))
  if (Number.isNaN(at.getTime())) return undefined
  const ms = parseInstant(at.toISOString())
  return ms === undefined ? undefined : { ms, exact: true }
}

interface Day {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly rest: string
}

function dayOf(text: string): Day | undefined {
  const iso = isoLike.exec(text)
  if (iso !== null) return dayFrom(iso[1], Number(iso[2]), iso[3], iso[4])
  const first = dayFirst.exec(text)
  if (first !== null) return dayFrom(first[3], monthOf(first[2]), first[1], first[4])
  const second = monthFirst.exec(text)
  if (second !== null) return dayFrom(second[3], monthOf(second[1]), second[2], second[4])
  return undefined
}

function dayFrom(year = '', month: number, day = '', rest = ''): Day {
  const short = Number(year)
  // RFC 2822: 00 to 49 are of this century.
  const full = year.length > 2 ? short : short + (short < 50 ? 2_000 : 1_900)
  return { year: full, month, day: Number(day), rest: rest.trim() }
}

const monthOf = (name = ''): number => months.indexOf(name.slice(0, 3).toLowerCase()) + 1

function midnightOf(day: string): ItemDate | undefined {
  const ms = parseInstant(`${day}T00:00:00Z`)
  return ms === undefined ? undefined : { ms, exact: false }
}

/** RFC 3339's `hh:mm:ss.fraction` and zone. */
function timeOf(text: string, { withoutZone }: DateOptions): string | undefined {
  const match = timeAndZone.exec(text)
  if (match === null) return undefined
  const [, hours = '', minutes = '', seconds = '00', fraction = '0', half, zoneText = ''] = match
  const zone = zoneText === '' && withoutZone === 'utc' ? 'Z' : zoneOf(zoneText)
  const hour = hourOf(Number(hours), half?.toLowerCase())
  if (zone === undefined || hour === undefined) return undefined
  return `${two(hour)}:${minutes}:${seconds}.${fraction}${zone}`
}

function hourOf(hour: number, half: string | undefined): number | undefined {
  if (half === undefined) return hour
  if (hour < 1 || hour > 12) return undefined
  return (hour % 12) + (half === 'pm' ? 12 : 0)
}

/** `+02:00` of `+0200`, `GMT+2`, `EST`, or an offset and a name for people (`+0200 CEST`, `+0200 (Paris)`). */
function zoneOf(text: string): string | undefined {
  const offset =
    /^(?:GMT|UTC)?\s*([+-])(\d{1,2})(?::?(\d{2}))?(?:\s+(?:[A-Z]{1,5}|\(.*\)))?$/i.exec(text)
  if (offset !== null)
    return `${offset[1]}${(offset[2] ?? '').padStart(2, '0')}:${offset[3] ?? '00'}`
  const name = text.replace(/[()]/g, '').toUpperCase()
  const minutes = Object.hasOwn(zones, name) ? zones[name] : undefined
  if (minutes === undefined) return undefined
  const size = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}

const two = (value: number): string => String(value).padStart(2, '0')
