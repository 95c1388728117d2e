/**
 * Functions that analyst SQL may call, in lower case. Everything here computes from its arguments alone: nothing reads files,
 * other tables, dictionaries, the network, settings or the server, sleeps, or makes values much larger than its arguments.
 */
const words = (text: string): string[] => text.trim().split(/\s+/)

const operators = words(`
  plus minus multiply divide intdiv intdivorzero modulo negate abs sign equals notequals less greater lessorequals
  greaterorequals and or xor not if multiif case like notlike ilike notilike match in notin globalin globalnotin exists
  isnull isnotnull isdistinctfrom isnotdistinctfrom isnan isfinite isinfinite ifnull nullif coalesce assumenotnull tonullable
  tuple tupleelement array arrayelement lambda cast _cast between identity greatest least`)

const numbers = words(`
  round floor ceil ceiling trunc truncate roundbankers sqrt cbrt exp exp2 exp10 log ln log2 log10 pow power sin cos tan
  asin acos atan atan2 pi e erf erfc lgamma tgamma sigmoid tanh widthbucket bitand bitor bitxor bitshiftleft bitshiftright`)

const conversions = words(`
  toint8 toint16 toint32 toint64 touint8 touint16 touint32 touint64 tofloat32 tofloat64 tobool tostring todecimal32
  todecimal64 toint32ornull toint64ornull tofloat64ornull todate todate32 todatetime todatetime64 todateornull
  todatetimeornull parsedatetimebesteffort parsedatetimebesteffortornull parsedatetime64besteffort
  parsedatetime64besteffortornull totypename`)

const times = words(`
  now now64 today yesterday todayofweek todayofmonth todayofyear tohour tominute tosecond tomillisecond toyear toquarter
  tomonth toisoweek toisoyear toweek tomonday tostartofsecond tostartofminute tostartoffiveminutes tostartoftenminutes
  tostartoffifteenminutes tostartofhour tostartofday tostartofweek tostartofmonth tostartofquarter tostartofyear
  tostartofinterval tounixtimestamp tounixtimestamp64milli fromunixtimestamp fromunixtimestamp64milli toyyyymm toyyyymmdd
  totimezone timezoneof date_trunc datetrunc date_diff datediff date_add dateadd date_sub datesub age formatdatetime
  addseconds addminutes addhours adddays addweeks addmonths addyears subtractseconds subtractminutes subtracthours
  subtractdays subtractweeks subtractmonths subtractyears tointervalsecond tointervalminute tointervalhour tointervalday
  tointervalweek tointervalmonth tointervalquarter tointervalyear`)

const strings = words(`
  length lengthutf8 char_length character_length empty notempty lower upper lowerutf8 upperutf8 reverse reverseutf8 concat
  concatwithseparator substring substr substringutf8 left right leftutf8 rightutf8 trim trimboth trimleft trimright ltrim
  rtrim position positionutf8 positioncaseinsensitive positioncaseinsensitiveutf8 locate startswith endswith
  startswithutf8 endswithutf8 countsubstrings countsubstringscaseinsensitive hastoken hastokencaseinsensitive
  multisearchany multisearchanycaseinsensitive replace replaceone replaceall replaceregexpone replaceregexpall extract
  extractall splitbychar splitbystring splitbywhitespace splitbynonalpha tokens ngramdistance editdistance
  dameraulevenshteindistance jarosimilarity normalizeutf8nfc cityhash64 siphash64 xxhash64 hex
  tolowcardinality domain domainwithoutwww protocol path`)

const arrays = words(`
  has hasall hasany indexof countequal arraymap arrayfilter arraycount arraysum arrayavg arraymin arraymax arrayexists
  arrayall arrayfirst arraylast arrayfirstindex arraysort arrayreversesort arrayreverse arraydistinct arrayuniq
  arrayconcat arrayslice arrayzip arrayenumerate arrayintersect arrayjoin arraydifference arraycumsum arrayproduct
  arraystringconcat arraycompact arrayflatten arraydotproduct cosinedistance l2distance`)

const aggregates = words(`
  count sum min max avg any anylast argmin argmax median quantile quantiles quantileexact quantilesexact quantiletdigest
  quantilestdigest stddevpop stddevsamp varpop varsamp covarpop covarsamp corr skewpop skewsamp kurtpop kurtsamp uniq
  uniqexact uniqcombined uniqhll12 groupuniqarray grouparray topk topkweighted avgweighted simplelinearregression
  studentttest welchttest mannwhitneyutest kolmogorovsmirnovtest entropy histogram sumkahan exponentialmovingaverage
  deltasum cramersv`)

const windows = words(`
  row_number rank dense_rank percent_rank cume_dist ntile lag lead laginframe leadinframe first_value last_value nth_value`)

const allowed: ReadonlySet<string> = new Set([
  ...operators,
  ...numbers,
  ...conversions,
  ...times,
  ...strings,
  ...arrays,
  ...aggregates,
  ...windows,
])

const aggregateNames: ReadonlySet<string> = new Set(aggregates)
const combinator = /(?:if|array|distinct|ornull|ordefault)$/

export function isAllowedFunction(name: string): boolean {
  const lower = name.toLowerCase()
  if (allowed.has(lower)) return true
  let base = lower
  while (combinator.test(base)) {
    base = base.replace(combinator, '')
    if (aggregateNames.has(base)) return true
  }
  return false
}

/** Functions that stand where a table stands. */
export const allowedTableFunctions: ReadonlySet<string> = new Set(['numbers', 'view'])

/** Their right side may name a table. */
export const membershipFunctions: ReadonlySet<string> = new Set([
  'in',
  'notin',
  'globalin',
  'globalnotin',
])
