"""Common part of all Redis scripts: the clock, the books and holds, and the operations of `ledger.py`.

All keys of an account share one hash tag. Items are JSON. Amounts are integers of millionths, exact in Lua up to 2^53;
they are written with HINCRBY or "%.0f", as Lua would round to 14 digits. An item with broken books gets an error as its
answer, and the others are processed; any other error ends the script.
"""

COMMON = """
local tag = KEYS[1]
local options = cjson.decode(ARGV[1])
local items = cjson.decode(ARGV[2])
local told = redis.call('TIME')
local now = tonumber(told[1]) + tonumber(told[2]) / 1000000
if options.now then now = options.now end
local DAY, SEP = 86400, '\\31'
local NAMES = {'bids', 'impressions', 'clicks', 'conversions', 'value', 'cost'}
local FAULTS = {
  'WRONGTYPE', 'not an integer', 'not a valid float', 'overflow', 'NaN', 'attempt to', 'bad argument'
}
local OF_TODAY = {total = 'today', held = 'held_today', firm = 'firm_today'}
local function campaign_key(campaign) return tag .. ':campaign:' .. campaign end
local account_key = tag .. ':account'
local open_key = tag .. ':holds'
local function hold_name(campaign, purpose, opportunity) return campaign .. SEP .. purpose .. SEP .. opportunity end
local function hold_key(name) return tag .. ':hold:' .. name end
local function bounded(at) return math.max(0, math.min(at, now + options.ahead_s)) end
local function whole(value) return string.format('%.0f', value) end
local function shown_key(at, customer)
  return tag .. ':shown:' .. string.format('%08d', math.floor(at / DAY)) .. ':' .. customer
end
local function exact(value) return string.format('%.17g', value) end
local function number(key, field)
  local found = redis.call('HGET', key, field)
  if found and found ~= '' then return tonumber(found) end
  return nil
end
local function add(key, field, amount)
  if amount == 0 then return end
  local sum = redis.call('HINCRBY', key, field, whole(amount))
  local before, cap = sum - amount, options.cap
  if math.abs(before) >= cap then
    redis.call('HSET', key, field, whole(before))
  elseif math.abs(sum) > cap then
    redis.call('HSET', key, field, whole(sum > 0 and cap or -cap))
  end
end
local function move(books, day, field, amount)
  if amount == 0 then return end
  for _, key in ipairs(books) do
    add(key, field, amount)
    if number(key, 'day') == day then add(key, OF_TODAY[field], amount) end
  end
end
local function roll(books, day)
  for _, key in ipairs(books) do day = math.max(day, number(key, 'day') or -1) end
  for _, key in ipairs(books) do
    if day > (number(key, 'day') or -1) then
      redis.call('HSET', key, 'day', whole(day), 'today', '0', 'held_today', '0', 'firm_today', '0')
      for _, name in ipairs({'settled', 'settled_cost'}) do
        redis.call('HSET', key, name, whole(math.floor((number(key, name) or 0) / 2)))
      end
    end
  end
  return day
end
local function bill(books, day, amount, held)
  move(books, day, 'total', amount)
  for _, key in ipairs(books) do add(key, 'excess', math.max(0, amount - held)) end
end
local function open(name, books, item, day, purpose, expires)
  local key = hold_key(name)
  redis.call('HSET', key, 'amount', whole(item.amount), 'day', whole(day), 'target', item.target, 'open', '1')
  redis.call('PERSIST', key)
  redis.call('ZADD', open_key, exact(expires), name)
  move(books, day, 'held', item.amount)
  if purpose ~= 'bid' then move(books, day, 'firm', item.amount) end
end
local function close(name, hold, books, purpose, cost)
  move(books, hold.day, 'held', -hold.amount)
  if purpose ~= 'bid' or hold.won then move(books, hold.day, 'firm', -hold.amount) end
  redis.call('ZREM', open_key, name)
  redis.call('HSET', hold_key(name), 'open', '0')
  hold.open = false
  if purpose == 'bid' then
    for _, key in ipairs(books) do
      add(key, 'settled', hold.amount)
      add(key, 'settled_cost', math.min(cost, hold.amount))
    end
  end
end
local function read(name)
  local found = redis.call('HMGET', hold_key(name), 'amount', 'day', 'open', 'won', 'paid', 'assumed', 'corrected_at',
    'target', 'seen', 'sold', 'refunded', 'shown')
  return {
    known = found[2], amount = tonumber(found[1] or '0'), day = tonumber(found[2] or '-1'), open = found[3] == '1',
    won = found[4] == '1', paid = tonumber(found[5] or ''), assumed = found[6] == '1',
    corrected_at = tonumber(found[7] or ''), target = found[8], seen = found[9], sold = found[10],
    refunded = found[11], shown = found[12]
  }
end
local function keep(name, hold)
  if hold.open then return end
  if hold.paid or hold.seen or hold.sold or hold.refunded or hold.shown then
    redis.call('EXPIRE', hold_key(name), whole(options.remembered_s))
  else
    redis.call('DEL', hold_key(name))
  end
end
local function settle(name)
  local campaign, purpose = string.match(name, '^(.-)' .. SEP .. '(.-)' .. SEP)
  local hold, books = read(name), {campaign_key(campaign), account_key}
  close(name, hold, books, purpose, hold.won and hold.amount or 0)
  if hold.won then
    move(books, hold.day, 'total', hold.amount)
    redis.call('HSET', hold_key(name), 'paid', whole(hold.amount), 'assumed', '1')
    hold.paid = hold.amount
  end
  keep(name, hold)
end
local function fault_of_books(why)
  for _, sign in ipairs(FAULTS) do
    if string.find(why, sign, 1, true) then return why end
  end
  error(why, 0)
end
local function tried(work, item)
  local done, answer = pcall(work, item)
  if done then return answer end
  return nil, fault_of_books(type(answer) == 'table' and answer.err or tostring(answer))
end
local function sweep()
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', open_key, '-inf', exact(now), 'LIMIT', 0, 200)) do
    local _, why = tried(settle, name)
    if why then redis.call('ZREM', open_key, name) end
  end
end
local function turn(key, prefix, by)
  for _, name in ipairs(NAMES) do
    local kept = number(key, prefix .. 'now_' .. name) or 0
    local over = number(key, prefix .. 'last_' .. name) or 0
    if by > 1 then over, kept = over + kept, 0 end
    add(key, prefix .. 'past_' .. name, over)
    redis.call('HDEL', key, prefix .. 'now_' .. name, prefix .. 'last_' .. name)
    add(key, prefix .. 'last_' .. name, kept)
  end
end
local function count(key, prefix, counted, at, length_s)
  local bucket = math.floor(at / (length_s or options.recent_s))
  local held = number(key, prefix .. 'bucket')
  if held == nil or bucket > held then
    if held ~= nil then turn(key, prefix, bucket - held) end
    redis.call('HSET', key, prefix .. 'bucket', whole(bucket))
    held = bucket
  end
  local part = 'past_'
  if held == bucket then part = 'now_' elseif held - bucket == 1 then part = 'last_' end
  for name, amount in pairs(counted) do add(key, prefix .. part .. name, amount) end
end
local function each(work, broken)
  local answers = {}
  for place, item in ipairs(items) do
    local answer, why = tried(work, item)
    answers[place] = answer or broken(item, why)
  end
  return answers
end
"""
