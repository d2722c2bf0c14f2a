"""Operations on the books in Redis, as atomic scripts. `ledger.py` implements the same for the embedded store."""

from serving.decisions.state.prelude import COMMON

#: Items are book keys; answers the books, for an empty key the time and why everything is stopped. Settles due holds
#: first; writes nothing where none is due.
LOAD = (
    COMMON
    + """
sweep()
local answers = {}
for place, key in ipairs(items) do
  if key == '' then answers[place] = {told[1], told[2], redis.call('GET', KEYS[2]) or ''}
  else
    local found = redis.pcall('HGETALL', key)
    answers[place] = found.err and {'daily_limit', found.err} or found
  end
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
  local told = redis.call('HMGET', key, 'daily_limit', 'limit', 'today', 'held_today', 'total', 'held')
  local today, ever = options.cap, options.cap
  if told[1] and told[1] ~= '' then today = tonumber(told[1]) - tonumber(told[3] or '0') - tonumber(told[4] or '0') end
  if told[2] and told[2] ~= '' then ever = tonumber(told[2]) end
  return math.min(today, ever - tonumber(told[5] or '0') - tonumber(told[6] or '0'))
end
local function draw(item, name, hold, books, at)
  if redis.call('HGET', hold_key(name), 'drawn') then return {'again', whole(item.amount), ''} end
  local from = hold_name(item.campaign, 'allowance', item.drawn_from)
  local allowance, taken, day = read(from), 0, roll(books, math.floor(at / DAY))
  if allowance.open then
    taken, day = math.min(item.amount, allowance.amount), allowance.day
    move(books, day, 'held', -taken)
    move(books, day, 'firm', -taken)
    redis.call('HSET', hold_key(from), 'amount', whole(allowance.amount - taken))
  end
  if not hold.open and not hold.paid then
    open(name, books, item, day, item.purpose, now + options.lasting[item.purpose])
    for _, key in ipairs(books) do
      add(key, 'excess', item.amount - taken)
      count(key, '', {bids = 1}, at)
    end
  end
  redis.call('HSET', hold_key(name), 'drawn', '1')
  return {'reserved', whole(item.amount), ''}
end
local function reserve(item)
  local name, key = hold_name(item.campaign, item.purpose, item.opportunity), campaign_key(item.campaign)
  local hold, books, at = read(name), {key, account_key}, bounded(item.at)
  if item.drawn_from ~= '' then return draw(item, name, hold, books, at) end
  if hold.open or hold.paid then
    if hold.target and hold.target ~= item.target then
      local why = "opportunity '" .. item.opportunity .. "' was used for customer '" .. hold.target .. "'"
      return {'refused', '0', why .. ': use a new opportunity_id for each customer'}
    end
    return {'again', whole(hold.amount), ''}
  end
  local stopped = redis.call('GET', KEYS[2])
  if not stopped or stopped == '' then stopped = redis.call('HGET', key, 'killed') end
  if not stopped or stopped == '' then stopped = redis.call('HGET', account_key, 'killed') end
  if stopped and stopped ~= '' then return {'refused', '0', 'stopped: ' .. stopped} end
  if not redis.call('HGET', key, 'daily_limit') then
    return {'refused', '0', 'the campaign is not configured'}
  end
  local day = roll(books, math.floor(at / DAY))
  for place, whose in ipairs({'campaign', 'account'}) do
    local room = left(books[place])
    if item.amount > room then
      return {'refused', '0', string.format('the %s has %.6g left to spend', whose, room / 1000000)}
    end
  end
  open(name, books, item, day, item.purpose, now + options.lasting[item.purpose])
  if item.purpose == 'bid' then
    for _, book in ipairs(books) do count(book, '', {bids = 1}, at) end
  end
  if at > (number(key, 'seen_at') or -1) then redis.call('HSET', key, 'seen_at', exact(at)) end
  return {'reserved', whole(item.amount), ''}
end
return each(reserve, function(item, why)
  return {'refused', '0', "the books of campaign '" .. item.campaign .. "' are unreadable: " .. why}
end)
"""
)

#: For each item: reserved, again with the creative that was shown, or refused with the reason.
EXPOSE = (
    COMMON
    + """
local function expose(item)
  local name, at = hold_name(item.campaign, 'choice', item.opportunity), bounded(item.at)
  local hold = read(name)
  if hold.shown then return {'again', '0', hold.shown} end
  local stopped = redis.call('GET', KEYS[2])
  for _, key in ipairs({campaign_key(item.campaign), account_key}) do
    if not stopped or stopped == '' then stopped = redis.call('HGET', key, 'killed') end
  end
  if stopped and stopped ~= '' then return {'refused', '0', 'stopped: ' .. stopped} end
  if item.customer ~= cjson.null then
    local key, field = shown_key(at, item.customer), 'shown' .. SEP .. item.creative
    if (number(key, field) or 0) >= item.most then
      local why = "the customer was shown '" .. item.creative .. "' " .. whole(item.most) .. ' times today'
      return {'refused', '0', why}
    end
    redis.call('HINCRBY', key, field, '1')
    redis.call('EXPIRE', key, whole(2 * DAY))
  end
  redis.call('HSET', hold_key(name), 'shown', item.creative, 'amount', '0', 'day', whole(math.floor(at / DAY)))
  redis.call('EXPIRE', hold_key(name), whole(options.remembered_s))
  return {'reserved', '0', ''}
end
return each(expose, function(item, why)
  return {'refused', '0', "what customer '" .. tostring(item.customer) .. "' was shown is unreadable: " .. why}
end)
"""
)

#: Counts an event: 1 where it was new, else 0; and its flag.
RECORDING = (
    COMMON
    + """
sweep()
local function tally(item, counted, at)
  local any = false
  for _, amount in pairs(counted) do any = any or amount ~= 0 end
  if not any or item.purpose ~= 'bid' then return end
  count(campaign_key(item.campaign), '', counted, at)
  count(account_key, '', counted, at)
  for _, prefix in ipairs(item.segments) do count(tag .. ':segments:' .. item.campaign, prefix, counted, at) end
end
local function evidence(item, counted, squares)
  if item.arm == '' then return end
  if item.purpose == 'choice' then
    local arms = tag .. ':arms:' .. item.campaign .. SEP .. item.version
    count(arms, item.arm .. SEP, counted, bounded(item.decided_at), options.rewards_s)
    redis.call('EXPIRE', arms, whole(options.remembered_s))
  end
  local book = tag .. ':evidence:' .. item.campaign .. SEP .. item.version
  for _, name in ipairs({'cost', 'value', 'conversions', 'impressions', 'clicks'}) do
    add(book, item.arm .. '_' .. name, counted[name] or 0)
  end
  if squares ~= 0 then redis.call('HINCRBYFLOAT', book, item.arm .. '_squares', exact(squares)) end
  redis.call('EXPIRE', book, whole(options.remembered_s))
end
local function charge(item, name, hold, books)
  local key = hold_key(name)
  if item.kind == 'correction' then
    if item.at < (hold.corrected_at or 0) then return 0, '' end
    redis.call('HSET', key, 'corrected_at', exact(item.at))
  elseif hold.paid and not hold.assumed then
    if item.cost ~= hold.paid and not hold.corrected_at then return 0, 'conflict' end
    return 0, ''
  end
  local held, paid = 0, hold.paid
  if hold.open then
    held = hold.amount
    close(name, hold, books, item.purpose, item.cost)
  end
  bill(books, hold.day, item.cost - (paid or 0), held)
  local known = paid or 0
  if hold.assumed then known = 0 end
  redis.call('HSET', key, 'paid', whole(item.cost))
  redis.call('HDEL', key, 'assumed')
  hold.paid = item.cost
  if hold.amount > 0 and item.cost > hold.amount then return item.cost - known, 'above' end
  if not paid and held == 0 then return item.cost - known, 'late' end
  return item.cost - known, ''
end
local function won(name, hold, books)
  if hold.won or hold.paid or hold.amount == 0 then return '' end
  redis.call('HSET', hold_key(name), 'won', '1')
  hold.won = true
  if hold.open then
    move(books, hold.day, 'firm', hold.amount)
    return ''
  end
  bill(books, hold.day, hold.amount, 0)
  redis.call('HSET', hold_key(name), 'paid', whole(hold.amount), 'assumed', '1')
  hold.paid = hold.amount
  return 'late'
end
local function net(key)
  local told = redis.call('HMGET', key, 'sold', 'refunded', 'squares')
  local sold = tonumber(told[1] or '0')
  if sold == 0 then return 0, 0 end
  local left = math.max(0, sold - tonumber(told[2] or '0'))
  return left, tonumber(told[3] or '0') * (left / sold) ^ 2
end
local function sell(item, key, counted, at)
  local value, squares = net(key)
  if item.value < 0 then
    add(key, 'refunded', -item.value)
    at = number(key, 'sold_at') or at
  else
    redis.call('HSETNX', key, 'sold', '0')
    add(key, 'sold', item.value)
    redis.call('HSET', key, 'squares', exact((number(key, 'squares') or 0) + item.squares))
    redis.call('HSETNX', key, 'sold_at', exact(at))
  end
  local now_value, now_squares = net(key)
  tally(item, {value = now_value - value}, at)
  evidence(item, {value = now_value - value, conversions = counted.conversions}, now_squares - squares)
end
local function record(item)
  if not redis.call('SET', tag .. ':event:' .. item.event, '1', 'NX', 'EX', whole(options.remembered_s)) then
    return {0, ''}
  end
  local name, at = hold_name(item.campaign, item.purpose, item.opportunity), bounded(item.at)
  local hold, books, key, flag = read(name), {campaign_key(item.campaign), account_key}, hold_key(name), ''
  if item.kind == 'loss' then
    if hold.open and not hold.won then
      close(name, hold, books, item.purpose, 0)
      keep(name, hold)
    end
    if hold.won or (hold.paid or 0) > 0 then flag = 'conflict' end
    return {1, flag}
  end
  if not hold.known then
    hold.day, hold.amount = math.floor(bounded(item.decided_at) / DAY), item.promised
    roll(books, hold.day)
    redis.call('HSET', key, 'day', whole(hold.day), 'amount', whole(hold.amount))
  end
  if item.cost ~= cjson.null then
    local cost
    cost, flag = charge(item, name, hold, books)
    redis.call('HSETNX', key, 'paid_at', exact(at))
    tally(item, {cost = cost}, number(key, 'paid_at'))
    evidence(item, {cost = cost}, 0)
  elseif item.purpose == 'bid' then
    flag = won(name, hold, books)
  end
  local counted = item.counted
  if item.kind == 'impression' then
    if redis.call('HSETNX', key, 'seen', '1') == 0 then counted = {} end
    hold.seen = '1'
  end
  tally(item, counted, at)
  if item.kind == 'conversion' then
    sell(item, key, counted, at)
    hold.sold = '1'
  else
    evidence(item, counted, 0)
  end
  keep(name, hold)
  return {1, flag}
end
"""
)

#: For each event of a known decision: as `RECORDING`.
RECORD = RECORDING + "return each(record, function() return {0, 'broken'} end)"

#: Items are holds; corrects days and due times that a fast clock set in the future.
REDATE = (
    COMMON
    + """
local answers = {}
for place, name in ipairs(items) do
  local day, purpose = number(hold_key(name), 'day'), string.match(name, SEP .. '(.-)' .. SEP)
  if day then
    redis.call('HSET', hold_key(name), 'day', whole(math.min(day, math.floor(now / DAY))))
    redis.call('ZADD', open_key, 'XX', 'LT', exact(now + options.lasting[purpose]), name)
  end
  answers[place] = 1
end
return answers
"""
)

#: 1 where the change may be made and was recorded. The caller computes the new books.
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

#: Convert open reservations of an earlier version to holds, as `upgrade.py` does for the embedded store.
UPGRADE = (
    COMMON
    + """
local old = redis.call('ZRANGE', tag .. ':open', 0, -1)
for _, opportunity in ipairs(old) do
  local key = tag .. ':reservation:' .. opportunity
  local told = redis.call('HMGET', key, 'campaign', 'amount')
  if told[1] then
    local purpose = 'bid'
    if string.sub(opportunity, 1, 10) == 'allowance:' then purpose = 'allowance' end
    local books, item = {campaign_key(told[1]), account_key}, {amount = tonumber(told[2]), target = ''}
    for _, book in ipairs(books) do redis.call('HDEL', book, 'reserved') end
    open(hold_name(told[1], purpose, opportunity), books, item, roll(books, 0), purpose, now + options.lasting[purpose])
  end
  redis.call('DEL', key)
end
redis.call('DEL', tag .. ':open')
return #old
"""
)
