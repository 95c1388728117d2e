/** What the reader chose, kept in the browser: theme, time zone, range. */
import type { Range } from '../contract.ts'
import { byId, h } from './dom.ts'
import type { Zone } from './format.ts'

export interface Settings {
  theme: 'dark' | 'light'
  zone: Zone
  /** Null until the reader chooses: the page then fits the range to what it shows. */
  range: Range | null
}

const key = 'tickertone'

export function loadSettings(): Settings {
  const preferred = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark'
  const { theme, zone, range } = readStored()
  return {
    theme: theme === 'dark' || theme === 'light' ? theme : preferred,
    zone: zone === 'local' ? 'local' : 'utc',
    range: rangeNames.some(([name]) => name === range) ? (range as Range) : null,
  }
}

export function saveSettings(settings: Settings): void {
  try {
    localStorage.setItem(key, JSON.stringify(settings))
  } catch {
    // A browser that keeps nothing still shows the page.
  }
}

function readStored(): Record<string, unknown> {
  try {
    return JSON.parse(localStorage.getItem(key) ?? '{}') ?? {}
  } catch {
    return {}
  }
}

export const rangeNames: readonly (readonly [Range, string])[] = [
  ['15m', '15 m'],
  ['1h', '1 h'],
  ['4h', '4 h'],
  ['1d', '1 d'],
  ['1w', '1 w'],
]

/** Radio buttons that look like one segmented control. Returns a function that shows a choice without reporting it. */
export function createSegments<Value extends string>(
  id: string,
  choices: readonly (readonly [Value, string])[],
  onChoose: (value: Value) => void,
): (value: Value) => void {
  const inputs = choices.map(([value, label]) => {
    const input = h('input', { type: 'radio', name: id, value })
    input.addEventListener('change', () => onChoose(value))
    byId(id, HTMLFieldSetElement).append(h('label', {}, input, label))
    return input
  })
  return (value) => {
    for (const input of inputs) input.checked = input.value === value
  }
}
