"""What is done to the books in Redis, each script whole or not at all. `ledger.py` says it for the embedded store.

All keys of an account share one hash tag. Items come as JSON; amounts are whole millionths, which a Lua number holds
exactly up to 2^53, and are written with HINCRBY or "%.0f", never with Lua's own rounding to 14 digits.
"""

COMMON = """
local tag = KEYS[1]
local options = cjson.decode(ARGV[1])
local items = cjson.decode(ARGV[2])
local told = redis.call('TIME')
local now = tonumber(told[1]) + tonumber(told[2]) / 1000000
local DAY, SEP = 86400, '\\31'
local NAMES = {'bids', 'impressions', 'clicks', 'conversions', 'value', 'cost'}
local function campaign_key(campaign) return tag .. ':campaign:' .. campaign end
local account_key = tag .. ':account'
local open_key = tag .. ':open'
local function held_key(opportunity) return tag .. ':reservation:' .. opportunity end
local function bounded(at) return math.min(at, now + options.ahead_s) end
local function whole(value) return string.format('%.0f', value) end
local function number(key, field)
  local found = redis.call('HGET', key, field)
  if found and found ~= '' then return tonumber(found) end
  return nil
end
local function add(key, field, amount)
  if amount ~= 0 then redis.call('HINCRBY', key, field, whole(amount)) end
end
local function roll(key, at)
  local day = math.floor(at / DAY)
  if day > (number(key, 'day') or -1) then redis.call('HSET', key, 'day', whole(day), 'today', '0') end
end
local function release(opportunity, held)
  add(campaign_key(held[1]), 'reserved', -tonumber(held[2]))
  add(account_key, 'reserved', -tonumber(held[2]))
  redis.call('ZREM', open_key, opportunity)
  redis.call('EXPIRE', held_key(opportunity), whole(options.expires_s))
end
local function sweep()
  for _, opportunity in ipairs(redis.call('ZRANGEBYSCORE', open_key, '-inf', now, 'LIMIT', 0, 200)) do
    local held = redis.call('HMGET', held_key(opportunity), 'campaign', 'amount')
    release(opportunity, held)
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
local function count(key, prefix, counted, at)
  local bucket = math.floor(at / options.recent_s)
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
"""

#: Each item is the key of a book, which is answered; for an empty one the time, and why everything is stopped. What has
#: expired is released before; nothing is written where nothing has.
LOAD = (
    COMMON
    + """
sweep()
local answers = {}
for place, key in ipairs(items) do
  if key == '' then answers[place] = {told[1], told[2], redis.call('GET', KEYS[2]) or ''}
  else answers[place] = redis.call('HGETALL', key) end
end
return answers
"""
)

#: For each item: reserved, again or refused; the amount; and why.
RESERVE = (
    COMMON
    + """
sweep()
local function left(key)
  local entries = redis.call('HMGET', key, 'daily_limit', 'limit', 'today', 'total', 'reserved')
  local reserved, found = tonumber(entries[5] or '0'), math.huge
  if entries[1] and entries[1] ~= '' then found = tonumber(entries[1]) - tonumber(entries[3] or '0') - reserved end
  if entries[2] and entries[2] ~= '' then
    found = math.min(found, tonumber(entries[2]) - tonumber(entries[4] or '0') - reserved)
  end
  return found
end
local function reserve(item)
  local before = redis.call('HGET', held_key(item.opportunity), 'amount')
  if before then return {'again', before, ''} end
  local key = campaign_key(item.campaign)
  local stopped = redis.call('GET', KEYS[2])
  if not stopped or stopped == '' then stopped = redis.call('HGET', key, 'killed') end
  if not stopped or stopped == '' then stopped = redis.call('HGET', account_key, 'killed') end
  if stopped and stopped ~= '' then return {'refused', '0', 'stopped: ' .. stopped} end
  if not redis.call('HGET', key, 'daily_limit') then
    return {'refused', '0', 'nobody configured this campaign'}
  end
  local at = bounded(item.at)
  roll(key, at)
  if item.amount > left(key) then
    return {'refused', '0', string.format('the campaign has %.6g left to spend', left(key) / 1000000)}
  end
  roll(account_key, at)
  if item.amount > left(account_key) then
    return {'refused', '0', string.format('the account has %.6g left to spend', left(account_key) / 1000000)}
  end
  for _, book in ipairs({key, account_key}) do
    add(book, 'reserved', item.amount)
    if item.lasts == cjson.null then count(book, '', {bids = 1}, at) end
  end
  if at > (number(key, 'seen_at') or -1) then redis.call('HSET', key, 'seen_at', string.format('%.17g', at)) end
  local lasts = options.expires_s
  if item.lasts ~= cjson.null then lasts = item.lasts end
  redis.call('ZADD', open_key, string.format('%.17g', now + lasts), item.opportunity)
  redis.call('HSET', held_key(item.opportunity), 'campaign', item.campaign, 'amount', whole(item.amount))
  return {'reserved', whole(item.amount), ''}
end
local answers = {}
for place, item in ipairs(items) do answers[place] = reserve(item) end
return answers
"""
)

#: For each event: 1 where it was counted now, 0 where it was before.
RECORD = (
    COMMON
    + """
sweep()
local function pay(key, cost, at)
  roll(key, at)
  add(key, 'total', cost)
  if math.floor(at / DAY) == number(key, 'day') then add(key, 'today', cost) end
end
local function record(item)
  local known = tag .. ':event:' .. item.event
  if not redis.call('SET', known, '1', 'NX', 'EX', whole(options.remembered_s)) then return 0 end
  local at, key = bounded(item.at), campaign_key(item.campaign)
  if item.settles then
    if redis.call('ZSCORE', open_key, item.opportunity) then
      release(item.opportunity, redis.call('HMGET', held_key(item.opportunity), 'campaign', 'amount'))
    end
    pay(key, item.counted.cost, at)
    pay(account_key, item.counted.cost, at)
  end
  count(key, '', item.counted, at)
  count(account_key, '', item.counted, at)
  for _, prefix in ipairs(item.segments) do count(tag .. ':segments:' .. item.campaign, prefix, item.counted, at) end
  if item.arm ~= '' then
    local book = tag .. ':evidence:' .. item.campaign .. SEP .. item.version
    for _, name in ipairs({'cost', 'value', 'conversions'}) do
      add(book, item.arm .. '_' .. name, item.counted[name] or 0)
    end
    redis.call('HINCRBYFLOAT', book, item.arm .. '_squares', string.format('%.17g', item.squares))
    redis.call('EXPIRE', book, whole(options.remembered_s))
  end
  return 1
end
local answers = {}
for place, item in ipairs(items) do answers[place] = record(item) end
return answers
"""
)

#: 1 where the change may be made and is noted. The caller has worked out what it makes of the books.
CLAIM = (
    COMMON
    + """
local item = items
local key = tag .. item.key
if redis.call('HGET', key, 'last_decision') == item.decision then return 1 end
local last = number(key, 'last_at')
if last ~= nil and item.at - last < item.cooldown_s then return 0 end
if item.action == 'raise_bid' or item.action == 'lower_bid' then
  if (number(key, 'multiplier') or 1) ~= item.before then return 0 end
end
local day = math.floor(item.at / DAY)
if day > (number(key, 'change_day') or -1) then
  redis.call('HSET', key, 'change_day', whole(day), 'bid_today', '0', 'moved_today', '0')
end
redis.call('HSET', key, 'last_at', item.at_text, 'last_decision', item.decision)
local function grow(book, field, by)
  redis.call('HSET', book, field, string.format('%.17g', math.max(0, (number(book, field) or 0) + by)))
end
local segments = tag .. ':segments:' .. item.campaign
if item.action == 'raise_bid' or item.action == 'lower_bid' then
  redis.call('HSET', key, 'multiplier', item.amount_text)
  grow(key, 'bid_today', math.abs(math.log(item.amount / item.before)))
elseif item.action == 'move_budget' then
  grow(key, 'moved_today', item.amount)
  grow(segments, item.to .. 'share', item.amount)
  grow(segments, item.away .. 'share', -item.amount)
elseif item.action == 'pause_keyword' then
  redis.call('HSET', segments, item.to .. 'paused', '1')
elseif item.action == 'add_keyword' then
  redis.call('HSET', segments, item.to .. 'paused', '0')
elseif item.action == 'rotate_creative' then
  redis.call('HSET', segments, item.to .. 'paused', '0', item.away .. 'paused', '1')
end
return 1
"""
)
