-- The whole schema at version 1, as the migrations build it. Checked by a test; never run.

CREATE TRIGGER affiliate_credits__earned after insert on affiliate_credits
begin
  insert into dirty_days (site_id, cube, day)
    select v.site_id, 'conversions', d.day from conversions v
    join counted_days d on d.site_id = v.site_id
      and d.starts_at = (select max(starts_at) from counted_days where site_id = v.site_id and starts_at <= v.happened_at)
    where v.site_id = new.site_id and v.id = new.conversion_id
      and v.happened_at < (select until_at from count_marks where site_id = new.site_id)
    on conflict (site_id, cube, day) do update set is_taken = 0;
  insert into dirty_days (site_id, cube, day)
    select e.site_id, 'entries', e.book_day from entries e
    where e.site_id = new.site_id and e.conversion_id = new.conversion_id
      and e.book_day <= (select coalesce(part_day, next_day - 1) from count_marks where site_id = new.site_id)
    on conflict (site_id, cube, day) do update set is_taken = 0;
end;

CREATE TRIGGER affiliate_credits__moved after update of affiliate_id, code on affiliate_credits
when old.affiliate_id is not new.affiliate_id or old.code <> new.code
begin
  insert into dirty_days (site_id, cube, day)
    select v.site_id, 'conversions', d.day from conversions v
    join counted_days d on d.site_id = v.site_id
      and d.starts_at = (select max(starts_at) from counted_days where site_id = v.site_id and starts_at <= v.happened_at)
    where v.site_id = new.site_id and v.id = new.conversion_id
      and v.happened_at < (select until_at from count_marks where site_id = new.site_id)
    on conflict (site_id, cube, day) do update set is_taken = 0;
  insert into dirty_days (site_id, cube, day)
    select e.site_id, 'entries', e.book_day from entries e
    where e.site_id = new.site_id and e.conversion_id = new.conversion_id
      and e.book_day <= (select coalesce(part_day, next_day - 1) from count_marks where site_id = new.site_id)
    on conflict (site_id, cube, day) do update set is_taken = 0;
end;

CREATE TRIGGER anon_events__late after insert on anon_events
when new.starts_visit = 1 and new.at < (select until_at from count_marks where site_id = new.site_id)
begin
  insert into dirty_days (site_id, cube, day)
    select new.site_id, 'visits', day
    from (select day, is_frozen from counted_days where site_id = new.site_id and starts_at <= new.at order by starts_at desc limit 1)
    where is_frozen = 0
    on conflict (site_id, cube, day) do update set is_taken = 0;
end;

CREATE TRIGGER chat_assists__found after insert on chat_assists when new.method <> 'no_match'
begin
  insert into dirty_days (site_id, cube, day)
    select v.site_id, 'conversions', d.day from conversions v
    join counted_days d on d.site_id = v.site_id
      and d.starts_at = (select max(starts_at) from counted_days where site_id = v.site_id and starts_at <= v.happened_at)
    where v.site_id = new.site_id and v.id = new.conversion_id
      and v.happened_at < (select until_at from count_marks where site_id = new.site_id)
    on conflict (site_id, cube, day) do update set is_taken = 0;
  insert into dirty_days (site_id, cube, day)
    select e.site_id, 'entries', e.book_day from entries e
    where e.site_id = new.site_id and e.conversion_id = new.conversion_id
      and e.book_day <= (select coalesce(part_day, next_day - 1) from count_marks where site_id = new.site_id)
    on conflict (site_id, cube, day) do update set is_taken = 0;
end;

CREATE TRIGGER chat_assists__found_late after update of method, confidence_bp on chat_assists
when old.method <> new.method or old.confidence_bp <> new.confidence_bp
begin
  insert into dirty_days (site_id, cube, day)
    select v.site_id, 'conversions', d.day from conversions v
    join counted_days d on d.site_id = v.site_id
      and d.starts_at = (select max(starts_at) from counted_days where site_id = v.site_id and starts_at <= v.happened_at)
    where v.site_id = new.site_id and v.id = new.conversion_id
      and v.happened_at < (select until_at from count_marks where site_id = new.site_id)
    on conflict (site_id, cube, day) do update set is_taken = 0;
  insert into dirty_days (site_id, cube, day)
    select e.site_id, 'entries', e.book_day from entries e
    where e.site_id = new.site_id and e.conversion_id = new.conversion_id
      and e.book_day <= (select coalesce(part_day, next_day - 1) from count_marks where site_id = new.site_id)
    on conflict (site_id, cube, day) do update set is_taken = 0;
end;

CREATE TRIGGER conversions__changed
after update of kind, currency, source, medium, campaign, match_type, status, counts, amount_minor, net_minor, happened_at, country, consent_given,
  session_id, contact_id, rank, run on conversions
when min(old.happened_at, new.happened_at) < (select until_at from count_marks where site_id = new.site_id)
begin
  insert into dirty_days (site_id, cube, day)
    select new.site_id, 'conversions', day
    from (select day from counted_days where site_id = new.site_id and starts_at <= new.happened_at order by starts_at desc limit 1)
    where true
    on conflict (site_id, cube, day) do update set is_taken = 0;
  insert into dirty_days (site_id, cube, day)
    select new.site_id, 'conversions', day
    from (select day from counted_days where site_id = new.site_id and starts_at <= old.happened_at order by starts_at desc limit 1)
    where old.happened_at <> new.happened_at
    on conflict (site_id, cube, day) do update set is_taken = 0;
end;

CREATE TRIGGER conversions__credited_anew
after update of kind, source, medium, campaign, match_type, status, counts, currency, amount_minor, country, consent_given, session_id, contact_id, rank,
  run, happened_at
  on conversions
when old.source is not new.source or old.medium is not new.medium or old.campaign is not new.campaign or old.counts is not new.counts
  or old.kind is not new.kind or old.match_type is not new.match_type or old.status is not new.status
  or old.currency is not new.currency or old.amount_minor is not new.amount_minor or old.consent_given is not new.consent_given
  or old.country is not new.country or old.session_id is not new.session_id or old.run is not new.run
  or old.contact_id is not new.contact_id or old.rank is not new.rank
  or old.happened_at <> new.happened_at
begin
  insert into dirty_days (site_id, cube, day)
    select e.site_id, 'entries', e.book_day from entries e
    where e.site_id = new.site_id and e.conversion_id = new.id
      and e.book_day <= (select coalesce(part_day, next_day - 1) from count_marks where site_id = new.site_id)
    on conflict (site_id, cube, day) do update set is_taken = 0;
end;

CREATE TRIGGER conversions__late after insert on conversions
when new.happened_at < (select until_at from count_marks where site_id = new.site_id)
begin
  insert into dirty_days (site_id, cube, day)
    select new.site_id, 'conversions', day
    from (select day from counted_days where site_id = new.site_id and starts_at <= new.happened_at order by starts_at desc limit 1)
    where true
    on conflict (site_id, cube, day) do update set is_taken = 0;
end;

CREATE TRIGGER customers__booked after insert on entries
begin
  insert into customer_values (site_id, contact_id, currency, orders, net_minor)
    select c.site_id, coalesce(c.contact_id, c.bought_by), new.currency, 0, new.amount_minor from conversions c
    where c.site_id = new.site_id and c.id = new.conversion_id and c.kind = 'sale' and c.counts = 1
      and coalesce(c.contact_id, c.bought_by) is not null
    on conflict (site_id, contact_id, currency) do update set net_minor =
      iif(typeof(net_minor + excluded.net_minor) = 'integer', net_minor + excluded.net_minor,
        iif(net_minor > 0, 9223372036854775807, -9223372036854775807));
end;

CREATE TRIGGER customers__came after insert on conversions
when new.kind = 'sale' and new.counts = 1 and new.contact_id is not null
begin
  insert into customers (site_id, contact_id, orders, first_at, last_at, first_conversion)
    values (new.site_id, new.contact_id, 1, new.happened_at, new.happened_at, new.id)
    on conflict (site_id, contact_id) do update set orders = orders + 1,
      first_conversion = iif((excluded.first_at, excluded.first_conversion) < (first_at, first_conversion), excluded.first_conversion, first_conversion),
      first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at);
  insert into customer_values (site_id, contact_id, currency, orders, net_minor)
    select new.site_id, new.contact_id, new.currency, 1, 0 where new.currency is not null
    on conflict (site_id, contact_id, currency) do update set orders = orders + 1;
end;

CREATE TRIGGER customers__first_anew after update of first_conversion on customers when old.first_conversion <> new.first_conversion
begin
  insert into dirty_days (site_id, cube, day)
    select new.site_id, 'conversions',
      (select d.day from counted_days d where d.site_id = c.site_id and d.starts_at <= c.happened_at order by d.starts_at desc limit 1)
    from conversions c join count_marks m on m.site_id = c.site_id
    where c.site_id = new.site_id and c.id in (old.first_conversion, new.first_conversion) and c.happened_at < m.until_at
      and exists (select 1 from counted_days d where d.site_id = c.site_id and d.starts_at <= c.happened_at)
    on conflict (site_id, cube, day) do update set is_taken = 0;
  insert into dirty_days (site_id, cube, day)
    select e.site_id, 'entries', e.book_day from entries e
    where e.site_id = new.site_id and e.conversion_id in (old.first_conversion, new.first_conversion)
      and e.book_day <= (select coalesce(part_day, next_day - 1) from count_marks where site_id = new.site_id)
    on conflict (site_id, cube, day) do update set is_taken = 0;
end;

CREATE TRIGGER customers__moved after update of contact_id, bought_by, kind, counts, currency, happened_at on conversions
when (old.kind = 'sale' or new.kind = 'sale') and (coalesce(old.contact_id, old.bought_by) is not null or coalesce(new.contact_id, new.bought_by) is not null)
  and (new.kind <> old.kind or new.counts <> old.counts or coalesce(new.contact_id, new.bought_by) is not coalesce(old.contact_id, old.bought_by)
    or new.currency is not old.currency or new.happened_at <> old.happened_at)
begin
  -- From the one who had it, as it was.
  update customer_values set orders = orders - 1
    where old.kind = 'sale' and old.counts = 1 and site_id = old.site_id and contact_id = coalesce(old.contact_id, old.bought_by) and currency = old.currency;
  update customer_values set net_minor = net_minor -
      (select coalesce(sum(e.amount_minor), 0) from entries e
       where e.site_id = old.site_id and e.conversion_id = old.id and e.currency = customer_values.currency)
    where old.kind = 'sale' and old.counts = 1 and site_id = old.site_id and contact_id = coalesce(old.contact_id, old.bought_by);
  update customers set orders = orders - 1
    where old.kind = 'sale' and old.counts = 1 and site_id = old.site_id and contact_id = coalesce(old.contact_id, old.bought_by);
  -- To the one who has it, as it is.
  insert into customers (site_id, contact_id, orders, first_at, last_at, first_conversion)
    select new.site_id, coalesce(new.contact_id, new.bought_by), 1, new.happened_at, new.happened_at, new.id
    where new.kind = 'sale' and new.counts = 1 and coalesce(new.contact_id, new.bought_by) is not null
    on conflict (site_id, contact_id) do update set orders = orders + 1;
  insert into customer_values (site_id, contact_id, currency, orders, net_minor)
    select new.site_id, coalesce(new.contact_id, new.bought_by), x.currency, sum(x.orders), sum(x.net_minor)
    from (select new.currency as currency, 1 as orders, 0 as net_minor
          union all
          select e.currency, 0, e.amount_minor from entries e where e.site_id = new.site_id and e.conversion_id = new.id) x
    where new.kind = 'sale' and new.counts = 1 and coalesce(new.contact_id, new.bought_by) is not null and x.currency is not null
    group by x.currency
    on conflict (site_id, contact_id, currency) do update set orders = orders + excluded.orders, net_minor =
      iif(typeof(net_minor + excluded.net_minor) = 'integer', net_minor + excluded.net_minor,
        iif(net_minor > 0, 9223372036854775807, -9223372036854775807));
  -- Who has nothing left is no customer; of the others, first and last are looked up anew.
  delete from customers where site_id = old.site_id and contact_id in (coalesce(old.contact_id, old.bought_by), coalesce(new.contact_id, new.bought_by)) and orders = 0;
  delete from customer_values
    where site_id = old.site_id and contact_id in (coalesce(old.contact_id, old.bought_by), coalesce(new.contact_id, new.bought_by)) and orders = 0 and net_minor = 0;
  update customers set
    (first_at, first_conversion) = (select c.happened_at, c.id from conversions c
      where c.site_id = customers.site_id and c.contact_id = customers.contact_id and c.kind = 'sale' and c.counts = 1
      order by c.happened_at, c.id limit 1),
    last_at = (select max(c.happened_at) from conversions c
      where c.site_id = customers.site_id and c.contact_id = customers.contact_id and c.kind = 'sale' and c.counts = 1)
    where site_id = new.site_id and contact_id in (old.contact_id, new.contact_id);
  -- Those of nobody are found by their own number.
  update customers set
    (first_at, first_conversion) = (select c.happened_at, c.id from conversions c
      where c.site_id = customers.site_id and c.bought_by = customers.contact_id and c.kind = 'sale' and c.counts = 1
      order by c.happened_at, c.id limit 1),
    last_at = (select max(c.happened_at) from conversions c
      where c.site_id = customers.site_id and c.bought_by = customers.contact_id and c.kind = 'sale' and c.counts = 1)
    where site_id = new.site_id and contact_id in (old.bought_by, new.bought_by);
end;

CREATE TRIGGER deliveries__gone after delete on deliveries
begin
  update delivery_counts set count = count - 1
    where site_id = old.site_id and day = old.day and connection_id = old.connection_id and platform = old.platform
      and kind = old.kind and state = old.state;
end;

CREATE TRIGGER deliveries__made after insert on deliveries
begin
  insert into delivery_counts (site_id, day, connection_id, platform, kind, state, count)
    values (new.site_id, new.day, new.connection_id, new.platform, new.kind, new.state, 1)
    on conflict (site_id, day, connection_id, platform, kind, state) do update set count = count + 1;
end;

CREATE TRIGGER deliveries__moved after update of day on deliveries when old.day <> new.day
begin
  update delivery_counts set count = count - 1
    where site_id = old.site_id and day = old.day and connection_id = old.connection_id and platform = old.platform
      and kind = old.kind and state = old.state;
  insert into delivery_counts (site_id, day, connection_id, platform, kind, state, count)
    values (new.site_id, new.day, new.connection_id, new.platform, new.kind, new.state, 1)
    on conflict (site_id, day, connection_id, platform, kind, state) do update set count = count + 1;
end;

CREATE TRIGGER deliveries__turned after update of state on deliveries when old.state <> new.state
begin
  update delivery_counts set count = count - 1
    where site_id = old.site_id and day = old.day and connection_id = old.connection_id and platform = old.platform
      and kind = old.kind and state = old.state;
  insert into delivery_counts (site_id, day, connection_id, platform, kind, state, count)
    values (new.site_id, new.day, new.connection_id, new.platform, new.kind, new.state, 1)
    on conflict (site_id, day, connection_id, platform, kind, state) do update set count = count + 1;
end;

CREATE TRIGGER entries__late after insert on entries
when new.book_day < (select next_day from count_marks where site_id = new.site_id)
begin
  insert into dirty_days (site_id, cube, day) values (new.site_id, 'entries', new.book_day)
    on conflict (site_id, cube, day) do update set is_taken = 0;
end;

CREATE TRIGGER orders__listed_anew after update of items, conversion_id on orders
when old.items is not new.items or old.conversion_id is not new.conversion_id
begin
  insert into dirty_days (site_id, cube, day)
    select e.site_id, 'entries', e.book_day from entries e
    where e.site_id = new.site_id and e.conversion_id in (old.conversion_id, new.conversion_id)
      and e.book_day <= (select coalesce(part_day, next_day - 1) from count_marks where site_id = new.site_id)
    on conflict (site_id, cube, day) do update set is_taken = 0;
end;

CREATE TRIGGER orders__named after insert on orders
begin
  insert into product_names (site_id, name)
    select new.site_id, substr(trim(value ->> 'name'), 1, 255) from json_each(new.items)
    where trim(coalesce(value ->> 'name', '')) <> ''
    on conflict do nothing;
end;

CREATE TRIGGER orders__named_anew after update of items on orders when old.items is not new.items
begin
  insert into product_names (site_id, name)
    select new.site_id, substr(trim(value ->> 'name'), 1, 255) from json_each(new.items)
    where trim(coalesce(value ->> 'name', '')) <> ''
    on conflict do nothing;
end;

CREATE TRIGGER touches__late after insert on touches
when new.starts_visit = 1 and new.at < (select until_at from count_marks where site_id = new.site_id)
begin
  insert into dirty_days (site_id, cube, day)
    select new.site_id, 'visits', day
    from (select day, is_frozen from counted_days where site_id = new.site_id and starts_at <= new.at order by starts_at desc limit 1)
    where is_frozen = 0
    on conflict (site_id, cube, day) do update set is_taken = 0;
end;

CREATE TABLE affiliate_codes (
  site_id      integer not null,
  kind         text not null check (kind = 'code' or kind = 'coupon'),
  value        text not null check (length(value) between 1 and 64),   -- as it is compared
  shown        text not null,
  affiliate_id integer not null,
  place        integer not null,
  added_at     integer not null,                           -- what was known before earns nothing by it
  primary key (site_id, kind, value)
) strict, without rowid;

CREATE TABLE affiliate_credits (
  site_id       integer not null,
  conversion_id integer not null,
  affiliate_id  integer,                                   -- none where the API named a code that nobody has
  code          text not null,                             -- as it is compared
  way           text not null check (way = 'named' or way = 'coupon' or way = 'link'),
  followed_at   integer,                                   -- the partner's link before it, also where a coupon earns
  at            integer not null,
  terms         text,                                      -- none where it earns nothing
  hold_days     integer not null,
  due_at        integer not null,
  reason        text not null,
  model         text not null check (model = 'last' or model = 'first'), -- which of several links earned when it was first known
  is_asserted   integer not null default 0 check (is_asserted in (0, 1)), -- by a link of a browser that only said to be the buyer's
  flag          text,                                      -- why it waits for the owner: the partner's own purchase, as it looks, or a claim alone
  verdict       text check (verdict is null or verdict = 'approved' or verdict = 'refused'),
  verdict_at    integer,
  verdict_by    text,
  verdict_note  text,
  primary key (site_id, conversion_id)
) strict, without rowid;

CREATE TABLE affiliate_days (
  site_id integer not null,
  day     integer not null,
  code    text not null,
  clicks  integer not null,
  bursts  integer not null,                                -- of these, one after the other from one network
  ads     integer not null,                                -- of these, brought by a search engine's advertisement
  primary key (site_id, day, code)
) strict, without rowid;

CREATE TABLE affiliate_months (
  site_id   integer not null,
  month     integer not null,
  closed_at integer not null,
  who       text not null,
  primary key (site_id, month)
) strict, without rowid;

CREATE TABLE affiliate_statements (
  site_id      integer not null,
  affiliate_id integer not null,
  month        integer not null,                           -- its first day
  closed_at    integer not null,
  name         text not null check (length(name) between 1 and 100),  -- personal
  body         text not null check (json_valid(body)),
  digest       blob not null check (length(digest) = 32),  -- SHA-256 of the body
  primary key (site_id, affiliate_id, month)
) strict, without rowid;

CREATE TABLE affiliates (
  site_id     integer not null,
  id          integer not null,
  name        text not null check (length(name) between 1 and 100),  -- personal
  email       text,                                        -- personal
  phone       text,                                        -- personal
  payout      text,                                        -- where the bank sends the money -- personal
  terms       text not null check (json_valid(terms)),     -- what new sales earn; known ones keep theirs
  cookie_days integer not null,
  hold_days   integer not null,
  pauses      text not null default '[]' check (json_valid(pauses)),  -- what happens in them earns nothing
  erased_at   integer,
  created_at  integer not null,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE anon_events (
  site_id       integer not null,
  id            integer not null,
  at            integer not null,
  day           integer not null,
  source        text not null,
  medium        text not null,
  utm_source    text,
  utm_medium    text,
  utm_campaign  text,
  utm_term      text,
  utm_content   text,
  referrer_host text,
  path          text,
  country       text,
  device        text,
  starts_visit  integer not null check (starts_visit in (0, 1)),
  event         blob,
  marketing     text,                                      -- what a browser had answered whose person was erased since; none without a cookie
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE attempts (
  site_id     integer not null,
  delivery_id integer not null,
  n           integer not null,
  at          integer not null,
  duration_ms integer not null,
  outcome     text not null,
  status      integer,
  sentence    text not null,
  judged_at   integer,                                     -- when consent was looked at; none where nothing new was sent
  basis       text,                                        -- why it might be sent, in words
  primary key (site_id, delivery_id, n)
) strict, without rowid;

CREATE TABLE audit (
  site_id integer not null,
  id      integer not null,
  at      integer not null,
  who     text not null,                  -- user_3, token_2, command line
  origin  text not null default '',       -- the address that it was asked from
  what    text not null,
  detail  text not null default '{}',
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE backups (
  id         integer primary key autoincrement,
  at         integer not null,
  is_good    integer not null check (is_good in (0, 1)),
  is_nightly integer not null check (is_nightly in (0, 1)),
  file       text not null,
  bytes      integer not null,
  rows       integer not null,
  took_ms    integer not null,
  sentence   text not null
) strict;

CREATE TABLE chat_assists (
  site_id         integer not null,
  conversion_id   integer not null,
  at              integer not null,
  method          text not null check (method = 'session_match' or method = 'time_proximity' or method = 'email_match' or method = 'no_match'),
  confidence_bp   integer not null check (confidence_bp between 0 and 10000),
  conversation_id integer,
  reason          text not null,
  runner_up       text,                                    -- the next best claim
  touches         text not null default '[]',              -- conversations before it, as judged then
  is_late         integer not null default 0 check (is_late in (0, 1)),  -- the conversation was told after the conversion
  primary key (site_id, conversion_id)
) strict, without rowid;

CREATE TABLE clicks (
  site_id    integer not null,
  value      text not null check (length(value) <= 512),   -- personal
  session_id integer not null,
  kind       text not null,
  seq        integer not null,
  at         integer not null,
  primary key (site_id, value, session_id, kind)
) strict, without rowid;

CREATE TABLE commissions (
  site_id       integer not null,
  id            integer not null,
  conversion_id integer not null,
  affiliate_id  integer,
  code          text not null,
  kind          text not null,
  conversions   integer not null,
  base_minor    integer not null,                          -- of what was sold, or went back
  base_currency text,
  amount_minor  integer not null,
  currency      text,
  own_day       integer not null,
  book_day      integer not null,
  booked_at     integer not null,
  note          text not null,
  payout_id     integer,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE connections (
  id             integer primary key autoincrement,
  site_id        integer not null references sites (id),
  platform       text not null,
  name           text not null,
  mode           text not null default 'shadow' check (mode = 'shadow' or mode = 'test' or mode = 'live'),
  settings       text not null default '{}',
  sealed_secrets blob,
  secret_version integer not null default 1,
  status         text not null default 'ok' check (status = 'ok' or status = 'paused' or status = 'needs_attention' or status = 'not_configured'),
  reason         text,
  breaker        text not null default '{}',
  last_event_at  integer,
  removed_at     integer,
  created_at     integer not null
) strict;

CREATE TABLE consents (
  site_id        integer not null,
  id             integer not null,
  session_id     integer,
  contact_id     integer,
  at             integer not null,
  manager        text not null,
  analytics      text not null,
  marketing      text not null,
  policy_version text,
  heard_at       integer not null,                         -- what was sent before may have been sent
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE contact_merges (
  site_id integer not null,
  id      integer not null,
  at      integer not null,
  kept    integer not null,
  merged  integer not null,
  because text not null,
  undone_at integer,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE contacts (
  site_id       integer not null,
  id            integer not null,
  email         text,                                      -- personal
  phone         text,                                      -- personal
  first_name    text,                                      -- personal
  last_name     text,                                      -- personal
  company       text,                                      -- personal
  country       text,
  city          text,                                      -- personal
  postcode      text,                                      -- personal
  first_seen_at integer not null,
  last_seen_at  integer not null,
  marketing     text not null default 'unknown' check (marketing = 'granted' or marketing = 'denied' or marketing = 'unknown'),
  marketing_at  integer,                                   -- of the present answer that a fact told
  marketing_by  text,                                      -- the platform that told it
  marketing_heard_at integer,                              -- when it was told, which may be later
  merged_into   integer,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE conversations (
  site_id       integer not null,
  id            integer not null,
  connection_id integer not null,
  platform      text not null,
  external_id   text not null check (length(external_id) between 1 and 255),   -- personal
  visitor       text,                                      -- the platform's own word for the person -- personal
  contact_id    integer,
  email         text,                                      -- personal
  phone         text,                                      -- personal
  is_verified   integer not null check (is_verified in (0, 1)),  -- who it is was told by somebody who could sign it
  session_id    integer,
  first_at      integer not null,                          -- of its messages
  last_at       integer not null,
  messages      integer not null default 0,                -- of all sides
  first_answer_at integer,                                 -- an agent's first after a customer's first
  first_asked_at  integer,
  is_product_inquiry integer not null default 0 check (is_product_inquiry in (0, 1)),
  is_price_check     integer not null default 0 check (is_price_check in (0, 1)),
  received_at   integer not null,
  erased_at     integer,                                   -- as in leads
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE conversion_days (
  site_id      integer not null,
  day          integer not null,
  kind         text not null,
  currency     text not null,
  source       text not null,
  medium       text not null,
  campaign     text not null,
  match_type   text not null,
  status       text not null,
  counts       integer not null check (counts in (0, 1)),
  count        integer not null,
  amount_minor integer not null,
  net_minor    integer not null,
  days_sum     integer not null,
  days_count   integer not null,
  primary key (site_id, day, kind, currency, source, medium, campaign, match_type, status, counts)
) strict, without rowid;

CREATE TABLE conversions (
  site_id        integer not null,
  id             integer not null,
  kind           text not null check (kind = 'sale' or kind = 'lead' or kind = 'signup' or kind = 'custom'),
  name           text,
  label          text not null,
  order_key      text,                                     -- order id as all senders would write it
  event_id       text not null,
  contact_id     integer,
  session_id     integer,
  amount_minor   integer,
  currency       text,
  net_minor      integer,
  rank           integer not null,                         -- of the report that speaks for it
  happened_at    integer not null,
  received_at    integer not null,
  book_day       integer not null,
  status         text not null,
  counts         integer not null default 1 check (counts in (0, 1)),  -- not for tests, drafts, staff
  is_imported    integer not null default 0 check (is_imported in (0, 1)),
  country        text,
  goods_ask      integer check (goods_ask in (0, 1)),      -- they go where the law asks for consent first; none where nobody said
  consent_given  integer check (consent_given in (0, 1)),  -- the fact's own word
  refused_at     integer,                                  -- when a later telling took it back
  match_type     text not null,
  is_asserted    integer not null default 0 check (is_asserted in (0, 1)),
  confidence_bp  integer not null,
  source         text,                                     -- credited by last non-direct; null is unattributed
  medium         text,
  campaign       text,
  first_source   text,
  first_medium   text,
  first_campaign text,
  run            integer not null default 1,
  flag           text,
  erased_at      integer,                                  -- its person was erased: nothing more is sent of it
  nobody         integer,                                  -- under which number, as in milestones, that person is still counted as one
  bought_by      integer,                                  -- the same for who is counted as its buyer, below zero; none where nobody was known
  device         text,                                     -- of the browser that is gone with its person, for the counts alone
  marketing      text,                                     -- and what it had answered
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE count_marks (
  site_id    integer primary key references sites (id),
  zone       text not null,
  next_day   integer not null,             -- days before this one are counted whole
  until_at   integer not null,             -- what happened before is counted
  part_day   integer,                      -- the day that is counted in part; it is `next_day`
  part_entry integer                       -- the last entry that its count knows
) strict;

CREATE TABLE counted_days (
  site_id   integer not null,
  day       integer not null,
  starts_at integer not null,
  visits    integer not null default 0,    -- of all sources, once the day is counted
  version   integer not null default 0,    -- grows with every change of any count of the day
  is_frozen integer not null default 0 check (is_frozen in (0, 1)),  -- its visits' rows are past their time: the counts stay
  primary key (site_id, day)
) strict, without rowid;

CREATE TABLE counters (
  site_id integer not null,
  day     integer not null,
  name    text not null,
  detail  text not null default '',
  count   integer not null,
  primary key (site_id, day, name, detail)
) strict, without rowid;

CREATE TABLE credits (
  site_id       integer not null,
  conversion_id integer not null,
  run           integer not null,
  at            integer not null,
  why           text not null,
  match_type    text not null,
  is_asserted   integer not null check (is_asserted in (0, 1)),
  confidence_bp integer not null,
  reason        text not null,
  also_fits     text not null default '[]',
  path          text not null,                             -- touches as judged then
  policy        text not null,
  snapshot      text not null default '{}',                -- attribution as the documents print it -- personal
  primary key (site_id, conversion_id, run)
) strict, without rowid;

CREATE TABLE customer_values (
  site_id       integer not null,
  contact_id    integer not null,
  currency      text not null check (length(currency) = 3),
  orders        integer not null,
  net_minor     integer not null,
  average_minor integer as (iif(orders > 0, net_minor / orders, null)) virtual,
  primary key (site_id, contact_id, currency)
) strict, without rowid;

CREATE TABLE customers (
  site_id          integer not null,
  contact_id       integer not null,
  orders           integer not null,
  first_at         integer not null,
  last_at          integer not null,
  first_conversion integer not null,                       -- the earliest; of two at the same moment the older one
  primary key (site_id, contact_id)
) strict, without rowid;

CREATE TABLE deliveries (
  site_id       integer not null,
  id            integer not null,
  connection_id integer not null,
  conversion_id integer not null,
  platform      text not null,
  kind          text not null,
  event_id      text not null,
  mode          text not null check (mode = 'shadow' or mode = 'test' or mode = 'live'),
  state         text not null check (
    state = 'pending' or state = 'leased' or state = 'delivered' or state = 'accepted' or state = 'skipped'
    or state = 'refused' or state = 'dead' or state = 'held' or state = 'cancelled'),
  reason        text,
  attempts      integer not null default 0,
  next_at       integer,
  not_after     integer,
  owner         text,                                      -- boot that holds the lease
  step          text,                                      -- state of a talk of several requests
  unknown_at    integer,                                   -- last send whose answer never came
  told_minor    integer,                                   -- what the platform took it for; none where it never took it
  told_currency text,
  taken_at      integer,                                   -- the platform took it though it had been called back on its way
  request       text,                                      -- as sent, hashed, secrets out -- personal
  response      text,                                      -- personal
  created_at    integer not null,
  day           integer not null,                          -- of created_at, in the site's zone
  settled_at    integer,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE delivery_counts (
  site_id       integer not null,
  day           integer not null,
  connection_id integer not null,
  platform      text not null,
  kind          text not null,
  state         text not null,
  count         integer not null,
  primary key (site_id, day, connection_id, platform, kind, state)
) strict, without rowid;

CREATE TABLE delivery_recounts (
  site_id  integer primary key references sites (id),
  zone     text not null,
  after_id integer not null                                -- up to this delivery the days are right
) strict;

CREATE TABLE dirty_days (
  site_id  integer not null,
  cube     text not null check (cube = 'visits' or cube = 'conversions' or cube = 'entries'),
  day      integer not null,
  is_taken integer not null default 0 check (is_taken in (0, 1)),
  primary key (site_id, cube, day)
) strict, without rowid;

CREATE TABLE enrolments (
  site_id             integer not null,
  conversion_id       integer not null,
  contact_id          integer,                             -- as in milestones
  email               text,                                -- personal
  user_id             text,                                -- personal
  at                  integer not null,
  received_at         integer not null,
  first_source        text,
  first_at            integer,
  last_source         text,
  last_at             integer,
  days                integer,                             -- of the site's calendar, from the first milestone
  milestones          integer not null,
  estimated_usd_minor integer,
  erased_at           integer,                             -- as in leads
  primary key (site_id, conversion_id)
) strict, without rowid;

CREATE TABLE entries (
  site_id       integer not null,
  id            integer not null,
  conversion_id integer not null,
  kind          text not null check (kind = 'sale' or kind = 'refund' or kind = 'cancellation' or kind = 'adjustment'),
  amount_minor  integer not null,
  currency      text not null check (length(currency) = 3),
  happened_at   integer not null,
  book_day      integer not null,
  report_id     integer,
  refund_id     integer,                                   -- the refund that this line books or corrects
  note          text,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE entry_days (
  site_id      integer not null,
  day          integer not null,
  kind         text not null,
  currency     text not null,
  source       text not null,
  medium       text not null,
  campaign     text not null,
  count        integer not null,
  amount_minor integer not null,
  primary key (site_id, day, kind, currency, source, medium, campaign)
) strict, without rowid;

CREATE TABLE erasure_notices (
  site_id       integer not null,
  erasure_id    integer not null,
  connection_id integer not null,
  platform      text not null,
  state         text not null check (state = 'pending' or state = 'told' or state = 'by_hand' or state = 'given_up'),
  sentence      text not null,
  attempts      integer not null default 0,
  next_at       integer,
  settled_at    integer,
  primary key (site_id, erasure_id, connection_id)
) strict, without rowid;

CREATE TABLE erasures (
  site_id    integer not null,
  id         integer not null,
  uid        text not null check (length(uid) = 32),
  at         integer not null,
  who        text not null,                                -- user_3, token_2, command line
  named_by   text not null check (
    named_by = 'email' or named_by = 'phone' or named_by = 'order' or named_by = 'contact'
    or named_by = 'log'),
  digests    text not null,                                -- keyed, in hex, as a list
  counts     text not null,                                -- rows by table
  things     text not null default '{}',                   -- the same in the owner's words, as the preview counts them
  sealed     blob,                                         -- who it was, until the file is clean and all are told -- personal
  cleaned_at integer,                                      -- the file was searched and holds nothing any more
  rewrites   integer not null default 0,
  residue    text,                                         -- why a search still finds something that must stay
  done_at    integer,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE funnels (
  site_id    integer not null references sites (id),
  id         integer not null,
  name       text not null check (length(name) between 1 and 60),
  plan       text not null check (json_valid(plan)),
  who        text not null,
  created_at integer not null,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE happenings (
  site_id        integer not null,
  id             integer not null,
  connection_id  integer not null,
  at             integer not null,
  sentence       text not null,
  waits_for_pull integer not null default 0 check (waits_for_pull in (0, 1)),
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE hook_tokens (
  token_hash    blob primary key,
  connection_id integer not null references connections (id),
  site_id       integer not null references sites (id),
  sealed_token  blob not null,
  created_at    integer not null,
  retires_at    integer                   -- both tokens of a rotation live until then
) strict, without rowid;

CREATE TABLE hooks (
  site_id       integer not null,
  connection_id integer not null,
  topic         text not null,
  external_id   text not null,
  place         integer not null,
  is_active     integer not null check (is_active in (0, 1)),
  since         integer not null,
  primary key (site_id, connection_id, topic)
) strict, without rowid;

CREATE TABLE idempotency_keys (
  site_id    integer not null,
  digest     blob not null,
  body       blob not null,
  at         integer not null,
  answer     text,                                         -- none while it is being worked on -- personal
  primary key (site_id, digest)
) strict, without rowid;

CREATE TABLE identities (
  site_id     integer not null,
  kind        text not null check (kind = 'email' or kind = 'phone' or kind = 'customer_id'),
  value       text not null,                               -- personal
  contact_id  integer not null,
  is_verified integer not null check (is_verified in (0, 1)),
  first_at    integer not null,
  source      text not null,
  primary key (site_id, kind, value)
) strict, without rowid;

CREATE TABLE import_refusals (
  site_id   integer not null,
  import_id integer not null,
  line      integer not null,
  field     text not null,
  remedy    text not null,
  primary key (site_id, import_id, line)
) strict, without rowid;

CREATE TABLE import_rows (
  site_id   integer not null,
  kind      text not null,
  key       blob not null,
  content   blob not null,
  import_id integer not null,
  fact_id   integer,                                       -- of the amount in spend, or the step in milestones, that it is
  primary key (site_id, kind, key)
) strict, without rowid;

CREATE TABLE import_tellings (
  site_id   integer not null,
  fact_id   integer not null,                              -- the step in milestones
  import_id integer not null,
  primary key (site_id, fact_id, import_id)
) strict, without rowid;

CREATE TABLE imports (
  site_id       integer not null,
  id            integer not null,
  kind          text not null check (kind = 'spend' or kind = 'conversions' or kind = 'orders' or kind = 'leads' or kind = 'offline' or
    kind = 'touches'),
  name          text not null check (length(name) <= 255),
  digest        blob,                                      -- SHA-256 of the file; none until all of it is there
  home          text not null default '{}',                -- what the file does not say by itself
  who           text not null,
  state         text not null check (state = 'coming' or state = 'running' or state = 'done' or state = 'failed' or state = 'undone'),
  bytes         integer not null,
  received      integer not null default 0,                -- bytes of it that are here
  inbox_id      integer,
  rows          integer not null default 0,                -- rows that were looked at; a run that was cut off goes on behind them
  new_rows      integer not null default 0,
  changed_rows  integer not null default 0,
  known_rows    integer not null default 0,
  joined_rows   integer not null default 0,                -- told by somebody else already
  left_out_rows integer not null default 0,
  refused_rows  integer not null default 0,
  problem       text,
  created_at    integer not null,
  changed_at    integer not null,
  ended_at      integer,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE inbox (
  site_id       integer not null,
  id            integer not null,
  connection_id integer,
  platform      text not null,
  path          text not null,
  received_at   integer not null,
  state         text not null check (state = 'accepted' or state = 'quarantined' or state = 'replayed' or state = 'dismissed'),
  reason        text,
  content_type  text,
  body          blob,                                      -- personal
  digest        blob not null,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE inbox_people (
  site_id  integer not null,
  digest   blob not null,
  inbox_id integer not null,
  primary key (site_id, digest, inbox_id)
) strict, without rowid;

CREATE TABLE jobs (
  id         integer primary key autoincrement,
  site_id    integer not null,
  kind       text not null,
  dedup      text not null,
  payload    text not null,
  run_at     integer not null,
  owner      text,
  attempts   integer not null default 0,
  created_at integer not null
) strict;

CREATE TABLE lead_changes (
  site_id      integer not null,
  id           integer not null,
  lead_id      integer not null,
  at           integer not null,
  who          text not null,             -- user_3, token_2, command line
  stage_before text not null,
  stage        text not null check (stage = 'new' or stage = 'contacted' or stage = 'qualified' or stage = 'won' or stage = 'lost'),
  value_minor  integer,
  currency     text,
  event_id     text,                      -- of the fact that the change is: a stage is told once
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE leads (
  site_id       integer not null,
  id            integer not null,
  connection_id integer not null,
  source        text not null,
  external_id   text not null,
  content_key   blob,
  contact_id    integer,
  email         text,                                      -- personal
  phone         text,                                      -- personal
  first_name    text,                                      -- personal
  last_name     text,                                      -- personal
  company       text,                                      -- personal
  message       text,                                      -- personal
  form_type     text not null,
  value_minor   integer,
  currency      text,
  session_id    integer,
  consent_given integer check (consent_given in (0, 1)),
  custom_fields text not null default '{}',                -- personal
  url           text,                                      -- personal
  status        text not null default 'new' check (status = 'new' or status = 'contacted' or status = 'qualified' or status = 'won' or status = 'lost'),
  created_at    integer not null,
  received_at   integer not null,
  conversion_id integer,
  erased_at     integer,                                   -- its person was erased: nothing of one is filled in again
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE link_clicks (
  site_id  integer not null,
  id       integer not null,
  link_id  integer not null,
  at       integer not null,
  click    text,                                           -- personal
  referrer text check (length(referrer) <= 255),
  country  text,
  device   text,
  is_counted integer not null default 0,                   -- as a click of the partner whose link it is
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE link_conversions (
  site_id       integer not null,
  link_id       integer not null,
  conversion_id integer not null,
  primary key (site_id, link_id, conversion_id)
) strict, without rowid;

CREATE TABLE link_days (
  site_id integer not null,
  link_id integer not null,
  day     integer not null,
  clicks  integer not null default 0,
  bots    integer not null default 0,
  visits  integer not null default 0,
  primary key (site_id, link_id, day)
) strict, without rowid;

CREATE TABLE link_templates (
  site_id    integer not null references sites (id),
  id         integer not null,
  name       text not null check (length(name) between 1 and 60),
  words      text not null check (json_valid(words)),
  who        text not null,
  created_at integer not null,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE logins (
  token_hash   blob primary key,
  user_id      integer not null references users (id) on delete cascade,
  created_at   integer not null,
  last_seen_at integer not null,
  proved_at    integer not null,          -- when the password was last given
  browser      text not null default ''   -- for the list that its user sees
) strict, without rowid;

CREATE TABLE members (
  site_id integer not null references sites (id),
  user_id integer not null references users (id) on delete cascade,
  role    text not null check (role = 'owner' or role = 'editor' or role = 'analyst' or role = 'client'),
  sight   text not null default '{}',    -- the part that a client is shown
  primary key (site_id, user_id)
) strict, without rowid;

CREATE TABLE messages (
  site_id            integer not null,
  conversation_id    integer not null,
  key                blob not null check (length(key) = 16),  -- digest of the sender's id, or of time, role and text
  at                 integer not null,
  role               text not null check (role = 'customer' or role = 'agent' or role = 'bot'),
  is_product_inquiry integer not null check (is_product_inquiry in (0, 1)),
  is_price_check     integer not null check (is_price_check in (0, 1)),
  text               text,                                 -- personal
  primary key (site_id, conversation_id, key)
) strict, without rowid;

CREATE TABLE milestones (
  site_id       integer not null,
  id            integer not null,
  changed       integer not null,                          -- grows with every row, and every time that a row's person changes
  connection_id integer not null,
  key           blob check (length(key) = 16),             -- digest of what makes it one: a repeat is known by it
  source        text not null check (length(source) between 1 and 64),
  kind          text not null check (length(kind) between 1 and 64),
  external_id   text,
  at            integer not null,
  received_at   integer not null,
  told_at       integer,                                   -- when its platform said so last; null: nobody did, we take it to be so
  starts_at     integer,                                   -- when the appointment or event is, as told last
  contact_id    integer,                                   -- negative: somebody who was erased and is still counted as one
  session_id    integer,
  email         text,                                      -- personal
  phone         text,                                      -- personal
  first_name    text,                                      -- personal
  last_name     text,                                      -- personal
  company       text,                                      -- personal
  utm_source    text,
  utm_medium    text,
  utm_campaign  text,
  utm_term      text,
  utm_content   text,
  click_kind    text,
  referrer      text,                                      -- personal
  data          text not null default '{}',                -- personal
  metadata      text not null default '{}',                -- personal
  consent_given integer check (consent_given in (0, 1)),
  conversion_id integer,                                   -- the lead that it made, or belongs to
  erased_at     integer,                                   -- as in leads
  import_id     integer,                                   -- the file that told of it first
  undone_at     integer,                                   -- it is not so any more: an appointment came back, or its file was taken back
  booking       integer not null default 0,                -- a number for what its source calls the booking; 0 where it does not say
  moved_from    integer not null default 0,                -- the number before, where a move brought another one
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE notes (
  site_id    integer not null,
  id         integer not null,
  day        integer not null,
  text       text not null check (length(text) between 1 and 500),
  who        text not null,
  created_at integer not null,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE numbers (
  site_id integer not null references sites (id),
  noun    text not null,
  last    integer not null,
  primary key (site_id, noun)
) strict, without rowid;

CREATE TABLE one_time_links (
  token_hash blob primary key,
  kind       text not null check (kind in ('first_owner', 'invite')),
  user_id    integer references users (id) on delete cascade,
  expires_at integer not null
) strict, without rowid;

CREATE TABLE order_days (
  site_id  integer not null,
  day      integer not null,
  currency text not null,
  platform text not null,
  chat     text not null,
  buyer    text not null check (buyer = 'new' or buyer = 'returning' or buyer = 'unknown'),
  orders   integer not null,
  primary key (site_id, day, currency, platform, chat, buyer)
) strict, without rowid;

CREATE TABLE order_deletions (
  site_id           integer not null,
  connection_id     integer not null,
  order_external_id text not null,                         -- as in orders
  at                integer not null,
  primary key (site_id, connection_id, order_external_id)
) strict, without rowid;

CREATE TABLE orders (
  site_id       integer not null,
  id            integer not null,
  connection_id integer not null,
  platform      text not null,
  external_id   text not null,
  order_number  text not null,
  order_key     text,                                      -- the number as all senders would write it
  rank          integer not null,
  contact_id    integer,
  email         text,                                      -- personal
  phone         text,                                      -- personal
  first_name    text,                                      -- personal
  last_name     text,                                      -- personal
  customer_id   text,                                      -- personal
  status        text not null,                             -- in the shop's own word
  state         text not null check (state = 'draft' or state = 'pending' or state = 'paid' or state = 'cancelled' or state = 'refunded'),
  is_paid       integer not null check (is_paid in (0, 1)),
  is_test       integer not null default 0 check (is_test in (0, 1)),
  is_gone       integer not null default 0 check (is_gone in (0, 1)),  -- deleted or in the bin at the shop
  total_minor   integer not null,                          -- what was sold, tax and shipping in it
  tax_minor     integer,
  shipping_minor integer,
  discount_minor integer,                                  -- taken off before the total was made
  net_minor     integer,                                   -- what is left after refunds and cancellation; null is no sale
  currency      text not null check (length(currency) = 3),
  items         text not null default '[]',
  coupons       text not null default '[]',
  journey       text not null default '[]',                -- the shop's own notes on the buyer's visits -- personal
  session_id    integer,
  country       text,
  created_at    integer not null,
  modified_at   integer not null,
  ended_at      integer,                                   -- cancelled, refunded or deleted
  received_at   integer not null,
  found_at      integer,                                   -- a pull found it, and no hook has told of it since
  refunds_at    integer not null default 0,                -- `modified_at` of the newest whole list of refunds, and when
  refunds_read_at integer not null default 0,              -- it was read from the shop itself, 0 where it was told
  conversion_id integer,
  erased_at     integer,                                   -- as in leads; money may still change
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE origin_days (
  site_id  integer not null,
  day      integer not null,
  source   text not null,
  medium   text not null,
  campaign text not null,
  visits   integer not null,
  primary key (site_id, day, source, medium, campaign)
) strict, without rowid;

CREATE TABLE page_events (
  site_id    integer not null,
  id         integer not null,
  session_id integer,
  at         integer not null,
  name       text not null check (length(name) between 1 and 64),
  properties text not null default '{}' check (length(properties) <= 4096),  -- personal
  path       text,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE payouts (
  site_id      integer not null,
  id           integer not null,
  affiliate_id integer not null,
  amount_minor integer not null,
  currency     text not null check (length(currency) = 3),
  paid_on      integer not null,
  reference    text not null,
  at           integer not null,
  who          text not null,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE product_days (
  site_id      integer not null,
  day          integer not null,
  kind         text not null,
  currency     text not null,
  platform     text not null,                              -- of the order whose lines they are, empty without lines
  product      text not null,                              -- the shop's number of it
  name         text not null,
  quantity     integer not null,
  amount_minor integer not null,
  primary key (site_id, day, kind, currency, platform, product, name)
) strict, without rowid;

CREATE TABLE product_names (
  site_id integer not null,
  name    text not null check (length(name) between 1 and 255),
  primary key (site_id, name)
) strict, without rowid;

CREATE TABLE pulls (
  site_id       integer not null,
  connection_id integer not null,
  seen_to       integer,                                   -- the newest change seen by a walk that came to its end
  state         text,                                      -- where the walk under way goes on
  began_at      integer,
  ended_at      integer,
  next_at       integer not null,
  failures      integer not null default 0,
  orders        integer not null default 0,                -- new ones, of the walk under way or the last one
  records       integer not null default 0,                -- all that it was handed
  pages         integer not null default 0,
  since         integer,                                   -- from when on it reads, and the newest change that it has come to
  reached_at    integer,
  back_to       integer,                                   -- the owner wants the list read once more from here on
  sentence      text,                                      -- why it does not go on
  heard_at      integer not null default 0,                -- what the clock said when anything was last planned or read; later than now, it was set back
  is_by_hand    integer not null default 0 check (is_by_hand in (0, 1)), -- somebody wants it now
  primary key (site_id, connection_id)
) strict, without rowid;

CREATE TABLE recovery_codes (
  user_id   integer not null references users (id) on delete cascade,
  code_hash blob not null,
  used_at   integer,
  primary key (user_id, code_hash)
) strict, without rowid;

CREATE TABLE refunds (
  site_id           integer not null,
  id                integer not null,
  connection_id     integer not null,
  order_external_id text not null,                         -- as in orders
  external_id       text not null,
  amount_minor      integer not null check (amount_minor > 0),
  currency          text not null check (length(currency) = 3),
  happened_at       integer not null,                      -- the earliest that any telling gave
  told_at           integer not null,                      -- of the newest telling that has it, as orders.refunds_at
  told_read_at      integer not null default 0,
  received_at       integer not null,
  reason            text,                                  -- personal
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE registrations (
  site_id       integer not null,
  connection_id integer not null,
  is_wanted     integer not null default 1 check (is_wanted in (0, 1)),
  checked_at    integer,
  next_at       integer not null,
  failures      integer not null default 0,
  sentence      text,                                      -- why they could not be looked at
  notes         text not null default '[]',
  primary key (site_id, connection_id)
) strict, without rowid;

CREATE TABLE reports (
  site_id       integer not null,
  id            integer not null,
  conversion_id integer not null,
  connection_id integer not null,
  platform      text not null,
  what          text not null,
  fact_kind     text not null check (fact_kind = 'order' or fact_kind = 'lead' or fact_kind = 'statement'),
  fact_id       integer,
  external_id   text not null,
  order_key     text,                                      -- the number that it gave, as in orders
  rank          integer not null,
  amount_minor  integer,
  currency      text,
  happened_at   integer not null,
  received_at   integer not null,
  inbox_id      integer,
  detail        text not null default '{}',                -- personal
  known         text,                                      -- what makes it a sale of its own again, where it may not stay one with others -- personal
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE reversals (
  site_id       integer not null,
  conversion_id integer not null,
  n             integer not null,
  connection_id integer not null,
  refund_id     integer,                                   -- none where the order itself ended
  event_id      text,                                      -- none where another telling had said it all
  amount_minor  integer not null,                          -- below 0: it counts again; 0: there is nothing to tell, or not any more
  currency      text not null check (length(currency) = 3),
  happened_at   integer not null,
  is_past       integer not null default 0 check (is_past in (0, 1)),  -- the sale has come back since: it explains nothing any more
  primary key (site_id, conversion_id, n)
) strict, without rowid;

CREATE TABLE rules (
  site_id    integer not null,
  id         integer not null,
  dimension  text not null check (dimension = 'source' or dimension = 'medium' or dimension = 'campaign'),
  from_word  text not null check (length(from_word) between 1 and 255),
  to_word    text not null check (length(to_word) between 1 and 255),
  within     text not null check (length(within) <= 255),
  who        text not null,
  created_at integer not null,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE sale_days (
  site_id      integer not null,
  day          integer not null,
  kind         text not null,
  currency     text not null,
  platform     text not null,                              -- of the report that speaks for the sale
  chat         text not null,                              -- method and confidence, empty without a conversation
  buyer        text not null check (buyer = 'new' or buyer = 'returning' or buyer = 'unknown'),
  amount_minor integer not null,
  primary key (site_id, day, kind, currency, platform, chat, buyer)
) strict, without rowid;

CREATE TABLE schema_steps (place integer primary key, name text not null, sha256 text not null) strict;

CREATE TABLE seen (
  site_id       integer not null,
  connection_id integer not null,
  digest        blob not null,
  inbox_id      integer not null,
  primary key (site_id, connection_id, digest)
) strict, without rowid;

CREATE TABLE segments (
  site_id    integer not null references sites (id),
  id         integer not null,
  user_id    integer references users (id),
  name       text not null check (length(name) between 1 and 60),
  filters    text not null check (json_valid(filters)),
  who        text not null,
  created_at integer not null,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE session_addresses (
  site_id    integer not null,
  session_id integer not null,
  sealed     blob not null,                                -- personal
  expires_at integer not null,
  primary key (site_id, session_id)
) strict, without rowid;

CREATE TABLE session_people (
  site_id     integer not null,
  kind        text not null check (kind = 'email' or kind = 'phone' or kind = 'customer_id'),
  value       text not null,                               -- personal
  session_id  integer not null,
  is_verified integer not null check (is_verified in (0, 1)),
  at          integer not null,
  source      text not null,
  is_flagged  integer not null default 0 check (is_flagged in (0, 1)),
  primary key (site_id, kind, value, session_id, is_verified)
) strict, without rowid;

CREATE TABLE sessions (
  site_id        integer not null references sites (id),
  id             integer primary key,
  key            text not null check (length(key) = 28),   -- the id without its seal -- personal
  created_at     integer not null,
  last_seen_at   integer not null,
  visits         integer not null default 1,
  page_views     integer not null default 1,
  touch_count    integer not null default 1,
  first_seq      integer not null default 1,               -- earliest touch by its own time
  last_seq       integer not null default 1,               -- latest non-direct touch, else the first
  first_at       integer not null,
  last_at        integer not null,
  last_is_direct integer not null check (last_is_direct in (0, 1)),
  device         text not null,
  browser        text not null,
  system         text not null,
  language       text,
  country        text,
  region         text,
  city           text,
  user_agent     text,                                     -- personal
  ga_client_id   text,                                     -- personal
  ga_session_id  text,                                     -- personal
  fbc            text,                                     -- personal
  fbp            text,                                     -- personal
  analytics      text not null check (analytics = 'granted' or analytics = 'denied' or analytics = 'unknown'),
  marketing      text not null check (marketing = 'granted' or marketing = 'denied' or marketing = 'unknown'),
  consent_at     integer,                                  -- of the present explicit answer
  consent_by     text,                                     -- the consent manager that told it
  last_event     blob,                                     -- digest of the newest touch's event id
  contact_id     integer,
  linked         integer                                   -- grows with every browser that is shown to be somebody's
) strict;

CREATE TABLE shares (
  token_hash     blob primary key,
  site_id        integer not null references sites (id),
  id             integer not null,
  name           text not null check (length(name) between 1 and 100),
  sealed_token   blob not null,            -- so that the link can be copied again
  sight          text not null default '{}',
  pages          text not null default '["overview"]',
  frames         text not null default '[]',  -- sites of others that may show it inside their own pages
  password_hash  text,
  created_by     text not null,
  created_at     integer not null,
  expires_at     integer,
  revoked_at     integer,
  views          integer not null default 0,
  last_viewed_at integer
) strict, without rowid;

CREATE TABLE short_codes (
  site_id    integer not null,
  code       text not null check (length(code) = 6),       -- personal
  session_id integer not null,
  first_at   integer not null,
  last_at    integer not null,                             -- it lives for ninety days after this
  primary key (site_id, code, session_id)
) strict, without rowid;

CREATE TABLE short_links (
  site_id       integer not null references sites (id),
  id            integer not null,
  code          text not null unique,                      -- over the whole box: the address of a link names no site
  target        text not null check (length(target) <= 2000),
  utm_source    text check (length(utm_source) <= 255),
  utm_medium    text check (length(utm_medium) <= 255),
  utm_campaign  text check (length(utm_campaign) <= 255),
  utm_term      text check (length(utm_term) <= 255),
  utm_content   text check (length(utm_content) <= 255),
  affiliate     text check (length(affiliate) <= 255),     -- an affiliate's code
  label         text check (length(label) <= 100),
  clicks        integer not null default 0,
  bots          integer not null default 0,
  visits        integer not null default 0,                -- touches that came with one of its click ids
  last_click_at integer,
  who           text not null,
  created_at    integer not null,
  ended_at      integer,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE site_domains (
  domain  text primary key check (length(domain) between 1 and 253),
  site_id integer not null references sites (id),
  place   integer not null default 0      -- the first one names the cookie
) strict, without rowid;

CREATE TABLE sites (
  id            integer primary key,
  slug          text not null unique check (length(slug) between 1 and 64),
  name          text not null check (length(name) between 1 and 200),
  public_key    text not null unique,
  zone          text not null,
  currency      text not null check (length(currency) = 3),
  country       text check (country is null or length(country) = 2),
  consent       text not null check (consent = 'auto' or consent = 'opt-in' or consent = 'opt-out'),
  cookie_domain text not null,
  settings      text not null default '{}',
  sealed_keys   blob not null,            -- session, digest, tombstone and identify keys; a key rotation only re-seals them
  created_at    integer not null
) strict;

CREATE TABLE spend (
  site_id      integer not null,
  id           integer not null,
  first_day    integer not null,
  last_day     integer not null check (last_day >= first_day),
  source       text not null check (length(source) between 1 and 255),
  medium       text not null check (length(medium) <= 255),
  campaign     text not null check (length(campaign) <= 255),    -- empty is none
  currency     text not null check (length(currency) = 3),
  amount_minor integer not null,
  note         text,
  who          text not null,
  import_id    integer,
  created_at   integer not null,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE spend_before (
  site_id       integer not null,
  spend_id      integer not null,
  import_id     integer not null,                          -- the file that changed it
  first_day     integer not null,
  last_day      integer not null,
  source        text not null,
  medium        text not null,
  campaign      text not null,
  currency      text not null,
  amount_minor  integer not null,
  note          text,
  before_import integer,                                   -- whose it was
  key           blob not null,                             -- by what its row was known, as in import_rows
  content       blob not null,
  primary key (site_id, spend_id, import_id)
) strict, without rowid;

CREATE TABLE spend_days (
  site_id      integer not null,
  day          integer not null,
  source       text not null,
  medium       text not null,
  campaign     text not null,
  currency     text not null,
  amount_minor integer not null,
  parts        integer not null,                           -- amounts that have a part in it
  primary key (site_id, day, source, medium, campaign, currency)
) strict, without rowid;

CREATE TABLE statement_links (
  token_hash     blob primary key,
  site_id        integer not null references sites (id),
  id             integer not null,
  affiliate_id   integer not null,
  month          integer not null,
  created_by     text not null,
  created_at     integer not null,
  expires_at     integer not null,
  revoked_at     integer,
  views          integer not null default 0,
  last_viewed_at integer
) strict, without rowid;

CREATE TABLE sync_runs (
  site_id       integer not null,
  id            integer not null,
  connection_id integer not null,
  platform      text not null,
  asked         text not null check (asked = 'automatic' or asked = 'manual' or asked = 'forced'),
  status        text not null default 'running' check (status = 'running' or status = 'success' or status = 'partial' or status = 'failed'
                  or status = 'cancelled' or status = 'broken_off'),
  boot          text not null default '',                  -- the run of the process in which it goes on
  pages         integer not null default 0,
  processed     integer not null default 0,
  created       integer not null default 0,
  updated       integer not null default 0,
  skipped       integer not null default 0,
  errors        integer not null default 0,
  sentences     text not null default '[]',
  began_at      integer not null,
  ended_at      integer,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE tokens (
  token_hash   blob primary key,
  site_id      integer not null references sites (id),
  id           integer not null,
  name         text not null,
  scopes       text not null,
  hint         text not null,             -- the last four characters, to tell keys apart
  created_at   integer not null,
  expires_at   integer,
  revoked_at   integer,
  last_used_at integer
) strict, without rowid;

CREATE TABLE tombstones (
  site_id integer not null,
  digest  blob not null check (length(digest) = 16),
  at      integer not null,
  primary key (site_id, digest)
) strict, without rowid;

CREATE TABLE touches (
  site_id       integer not null,
  id            integer primary key,
  session_id    integer not null,
  seq           integer not null,
  at            integer not null,
  received_at   integer not null,
  source        text not null check (length(source) <= 255),
  medium        text not null check (length(medium) <= 255),
  campaign      text,
  term          text,
  content       text,
  raw_source    text,
  raw_medium    text,
  referrer      text,
  landing       text not null check (length(landing) <= 2048),
  title         text,
  is_direct     integer not null check (is_direct in (0, 1)),
  starts_visit  integer not null check (starts_visit in (0, 1)),
  click_kind    text,
  ads           text,
  affiliate     text,
  marketing     text not null check (marketing = 'granted' or marketing = 'denied' or marketing = 'unknown'),
  is_imported   integer not null default 0 check (is_imported in (0, 1)),
  event         blob,                                      -- digest of its event id: a retry counts once
  is_repeat     integer not null default 0 check (is_repeat in (0, 1)),  -- a visit by a click already counted: no touchpoint
  short_link_id integer,                                   -- the link whose click id it carried
  unique (session_id, seq)
) strict;

CREATE TABLE tracker_calls (
  site_id       integer not null,
  id            integer not null,
  connection_id integer not null,
  platform      text not null,
  status        text not null check (status = 'success' or status = 'warning' or status = 'error'),
  processed     integer not null,
  errors        integer not null,
  message       text not null,
  details       text not null default '[]',
  started_at    integer not null,
  completed_at  integer not null,
  primary key (site_id, id)
) strict, without rowid;

CREATE TABLE tracker_events (
  site_id        integer not null,
  id             integer primary key,
  source         text not null,                            -- the tracker
  event_id       text not null check (length(event_id) between 1 and 255),     -- personal
  event_name     text not null check (length(event_name) between 1 and 255),
  connection_id  integer not null,
  at             integer not null,
  received_at    integer not null,
  changed_at     integer,                                  -- it was told again with another content
  changes        integer not null default 0,
  content        blob not null,                            -- digest of the whole event as it was last told
  is_standard    integer not null check (is_standard in (0, 1)),   -- a step of a journey
  contact_id     integer,                                  -- of events by which somebody makes themselves known
  em             text,                                     -- SHA-256 of the address in hex -- personal
  ph             text,                                     -- personal
  given          text,                                     -- personal
  family         text,                                     -- personal
  external_id    text,                                     -- personal
  client         text,                                     -- the tracker's word for the browser -- personal
  value_minor    integer,
  currency       text,
  custom         text not null,                            -- personal
  meta           text not null,                            -- personal
  term           text,
  content_word   text,
  referrer       text,
  ad_id          text,
  adset_id       text,
  ad_campaign_id text,
  ad_name        text,
  adset_name     text
) strict;

CREATE TABLE users (
  id            integer primary key,
  email         text not null unique check (length(email) <= 254),
  password_hash text,
  totp_sealed   blob,
  totp_step     integer not null default 0,
  is_owner      integer not null default 0 check (is_owner in (0, 1)),
  created_at    integer not null,
  last_login_at integer
) strict;

CREATE TABLE visit_days (
  site_id  integer not null,
  day      integer not null,
  source   text not null,
  medium   text not null,
  campaign text not null,
  country  text not null,
  device   text not null,
  visits   integer not null,
  primary key (site_id, day, source, medium, campaign, country, device)
) strict, without rowid;

CREATE INDEX affiliate_codes__site_id__affiliate_id on affiliate_codes (site_id, affiliate_id, kind, place);

CREATE INDEX affiliate_credits__site_id__affiliate_id on affiliate_credits (site_id, affiliate_id, conversion_id) where affiliate_id is not null;

CREATE INDEX affiliate_credits__site_id__at on affiliate_credits (site_id, at) where is_asserted = 1;

CREATE INDEX affiliate_credits__site_id__code on affiliate_credits (site_id, code, conversion_id) where affiliate_id is null;

CREATE INDEX affiliate_days__site_id__code__day on affiliate_days (site_id, code, day, clicks, bursts, ads);

CREATE INDEX anon_events__site_id__at on anon_events (site_id, at, starts_visit);

CREATE INDEX chat_assists__site_id__conversation_id on chat_assists (site_id, conversation_id) where conversation_id is not null;

CREATE INDEX clicks__session_id on clicks (session_id);

CREATE INDEX commissions__site_id__affiliate_id__book_day on commissions (site_id, affiliate_id, book_day, id) where affiliate_id is not null;

CREATE INDEX commissions__site_id__affiliate_id__unpaid on commissions (site_id, affiliate_id, conversion_id, currency, amount_minor)
  where payout_id is null and affiliate_id is not null;

CREATE INDEX commissions__site_id__book_day on commissions
  (site_id, book_day, affiliate_id, code, kind, conversions, base_currency, base_minor, currency, amount_minor);

CREATE INDEX commissions__site_id__code__book_day on commissions (site_id, code, book_day, id) where affiliate_id is null;

CREATE INDEX commissions__site_id__conversion_id on commissions (site_id, conversion_id);

CREATE INDEX commissions__site_id__payout_id on commissions (site_id, payout_id) where payout_id is not null;

CREATE UNIQUE INDEX connections__site_id__id on connections (site_id, id);

CREATE INDEX consents__site_id__contact_id on consents (site_id, contact_id) where contact_id is not null;

CREATE INDEX consents__site_id__session_id on consents (site_id, session_id);

CREATE INDEX contact_merges__site_id__kept on contact_merges (site_id, kept);

CREATE UNIQUE INDEX conversations__site_id__connection_id__external_id on conversations (site_id, connection_id, external_id);

CREATE INDEX conversations__site_id__connection_id__visitor on conversations (site_id, connection_id, visitor) where visitor is not null;

CREATE INDEX conversations__site_id__contact_id on conversations (site_id, contact_id, last_at) where contact_id is not null;

CREATE INDEX conversations__site_id__email on conversations (site_id, email) where email is not null;

CREATE INDEX conversations__site_id__first_at
  on conversations (site_id, first_at, messages, is_product_inquiry, is_price_check, first_answer_at, first_asked_at);

CREATE INDEX conversations__site_id__phone on conversations (site_id, phone) where phone is not null;

CREATE INDEX conversations__site_id__session_id on conversations (site_id, session_id, last_at) where session_id is not null;

CREATE INDEX conversions__site_id__amount_minor on conversions (site_id, amount_minor, id);

CREATE INDEX conversions__site_id__bought_by on conversions (site_id, bought_by, kind, happened_at) where bought_by is not null;

CREATE INDEX conversions__site_id__contact_id on conversions (site_id, contact_id, kind, happened_at);

CREATE UNIQUE INDEX conversions__site_id__event_id on conversions (site_id, event_id);

CREATE INDEX conversions__site_id__happened_at on conversions (site_id, happened_at, id);

CREATE INDEX conversions__site_id__kind__happened_at on conversions (site_id, kind, happened_at, id);

CREATE INDEX conversions__site_id__nobody on conversions (site_id, nobody, kind, happened_at) where nobody is not null;

CREATE INDEX conversions__site_id__order_key on conversions (site_id, order_key) where order_key is not null;

CREATE INDEX conversions__site_id__session_id on conversions (site_id, session_id) where session_id is not null;

CREATE UNIQUE INDEX counted_days__site_id__starts_at on counted_days (site_id, starts_at);

CREATE INDEX customer_values__site_id__currency__average_minor on customer_values (site_id, currency, average_minor, contact_id);

CREATE INDEX customer_values__site_id__currency__net_minor on customer_values (site_id, currency, net_minor, contact_id);

CREATE INDEX customers__site_id__first_at on customers (site_id, first_at, contact_id);

CREATE INDEX customers__site_id__last_at on customers (site_id, last_at, contact_id);

CREATE INDEX customers__site_id__orders on customers (site_id, orders, contact_id);

CREATE INDEX deliveries__connection_id__next_at on deliveries (connection_id, next_at, id) where state in ('pending', 'accepted') and next_at is not null;

CREATE INDEX deliveries__owner on deliveries (owner) where state = 'leased';

CREATE INDEX deliveries__site_id__connection_id__state__created_at on deliveries (site_id, connection_id, state, created_at, id, kind);

CREATE UNIQUE INDEX deliveries__site_id__conversion_id__connection_id__kind on deliveries (site_id, conversion_id, connection_id, kind);

CREATE INDEX deliveries__site_id__created_at on deliveries (site_id, created_at, id, state, platform, connection_id, kind, conversion_id);

CREATE INDEX deliveries__site_id__settled_at on deliveries (site_id, settled_at) where settled_at is not null and request is not null;

CREATE INDEX enrolments__site_id__at on enrolments (site_id, at, contact_id, days);

CREATE INDEX enrolments__site_id__contact_id on enrolments (site_id, contact_id) where contact_id is not null;

CREATE INDEX entries__site_id__book_day on entries (site_id, book_day);

CREATE INDEX entries__site_id__conversion_id on entries (site_id, conversion_id);

CREATE INDEX erasures__site_id__at__open on erasures (site_id, at) where done_at is null;

CREATE UNIQUE INDEX erasures__site_id__uid on erasures (site_id, uid);

CREATE UNIQUE INDEX funnels__site_id__name on funnels (site_id, name);

CREATE INDEX happenings__site_id__connection_id on happenings (site_id, connection_id, id);

CREATE INDEX hook_tokens__connection_id on hook_tokens (connection_id);

CREATE INDEX idempotency_keys__site_id__at on idempotency_keys (site_id, at);

CREATE INDEX identities__site_id__contact_id on identities (site_id, contact_id);

CREATE INDEX import_rows__site_id__fact_id on import_rows (site_id, fact_id, kind) where fact_id is not null;

CREATE INDEX import_rows__site_id__import_id on import_rows (site_id, import_id);

CREATE INDEX import_tellings__site_id__import_id on import_tellings (site_id, import_id, fact_id);

CREATE INDEX imports__site_id__kind__digest on imports (site_id, kind, digest) where digest is not null;

CREATE INDEX imports__site_id__open on imports (site_id) where state = 'coming' or state = 'running';

CREATE INDEX inbox__site_id__received_at on inbox (site_id, received_at);

CREATE INDEX inbox__site_id__received_at__kept on inbox (site_id, received_at) where body is not null;

CREATE INDEX inbox__site_id__state__received_at on inbox (site_id, state, received_at) where state <> 'accepted';

CREATE INDEX inbox_people__site_id__inbox_id on inbox_people (site_id, inbox_id);

CREATE INDEX jobs__run_at on jobs (run_at);

CREATE UNIQUE INDEX jobs__site_id__dedup on jobs (site_id, dedup);

CREATE UNIQUE INDEX lead_changes__site_id__event_id on lead_changes (site_id, event_id) where event_id is not null;

CREATE INDEX lead_changes__site_id__lead_id on lead_changes (site_id, lead_id);

CREATE UNIQUE INDEX leads__site_id__connection_id__external_id on leads (site_id, connection_id, external_id);

CREATE INDEX leads__site_id__contact_id on leads (site_id, contact_id);

CREATE INDEX leads__site_id__content_key on leads (site_id, content_key, received_at) where content_key is not null;

CREATE INDEX leads__site_id__created_at on leads (site_id, created_at);

CREATE INDEX leads__site_id__email on leads (site_id, email) where email is not null and connection_id = -2;

CREATE INDEX leads__site_id__phone on leads (site_id, phone) where phone is not null and connection_id = -2;

CREATE UNIQUE INDEX link_clicks__site_id__click on link_clicks (site_id, click) where click is not null;

CREATE INDEX link_clicks__site_id__link_id__at on link_clicks (site_id, link_id, at);

CREATE INDEX link_conversions__site_id__conversion_id on link_conversions (site_id, conversion_id);

CREATE UNIQUE INDEX link_templates__site_id__name on link_templates (site_id, name);

CREATE INDEX logins__user_id on logins (user_id);

CREATE INDEX members__user_id on members (user_id);

CREATE INDEX messages__site_id__at on messages (site_id, at);

CREATE INDEX milestones__site_id__changed on milestones
  (site_id, changed, id, contact_id, at, source, kind, starts_at, told_at, utm_source, utm_medium, utm_campaign, click_kind, undone_at,
   booking, moved_from);

CREATE INDEX milestones__site_id__connection_id__external_id on milestones (site_id, connection_id, external_id, kind) where connection_id > 0;

CREATE INDEX milestones__site_id__contact_id on milestones (site_id, contact_id, at) where contact_id is not null;

CREATE UNIQUE INDEX milestones__site_id__key on milestones (site_id, key) where key is not null;

CREATE INDEX notes__site_id__day on notes (site_id, day);

CREATE UNIQUE INDEX orders__site_id__connection_id__external_id on orders (site_id, connection_id, external_id);

CREATE INDEX orders__site_id__connection_id__found_at on orders (site_id, connection_id, found_at) where found_at is not null;

CREATE INDEX orders__site_id__contact_id on orders (site_id, contact_id);

CREATE INDEX orders__site_id__conversion_id on orders (site_id, conversion_id);

CREATE INDEX orders__site_id__created_at on orders (site_id, created_at);

CREATE INDEX orders__site_id__order_key on orders (site_id, order_key) where conversion_id is null;

CREATE INDEX page_events__site_id__name__at on page_events (site_id, name, at);

CREATE INDEX page_events__site_id__session_id on page_events (site_id, session_id);

CREATE INDEX payouts__site_id__affiliate_id on payouts (site_id, affiliate_id, id);

CREATE INDEX pulls__heard_at on pulls (heard_at);

CREATE INDEX pulls__next_at on pulls (next_at);

CREATE UNIQUE INDEX refunds__site_id__connection_id__external_id on refunds (site_id, connection_id, external_id);

CREATE INDEX refunds__site_id__connection_id__order_external_id on refunds (site_id, connection_id, order_external_id);

CREATE INDEX registrations__next_at on registrations (next_at) where is_wanted = 1;

CREATE UNIQUE INDEX reports__site_id__connection_id__what__external_id on reports (site_id, connection_id, what, external_id);

CREATE INDEX reports__site_id__conversion_id on reports (site_id, conversion_id);

CREATE INDEX reports__site_id__inbox_id on reports (site_id, inbox_id) where inbox_id is not null;

CREATE UNIQUE INDEX reversals__site_id__connection_id__event_id on reversals (site_id, connection_id, event_id) where event_id is not null;

CREATE UNIQUE INDEX rules__site_id__dimension__from_word__within on rules (site_id, dimension, from_word, within);

CREATE UNIQUE INDEX segments__site_id__name on segments (site_id, name) where user_id is null;

CREATE UNIQUE INDEX segments__site_id__user_id__name on segments (site_id, user_id, name) where user_id is not null;

CREATE INDEX session_addresses__site_id__expires_at on session_addresses (site_id, expires_at);

CREATE INDEX session_people__site_id__flagged on session_people (site_id, kind, value, at) where is_flagged = 1;

CREATE INDEX session_people__site_id__session_id on session_people (site_id, session_id);

CREATE UNIQUE INDEX sessions__key on sessions (key);

CREATE INDEX sessions__site_id__linked on sessions (site_id, linked, contact_id) where linked is not null;

CREATE UNIQUE INDEX shares__site_id__id on shares (site_id, id);

CREATE INDEX short_codes__site_id__last_at on short_codes (site_id, last_at);

CREATE INDEX short_codes__site_id__session_id on short_codes (site_id, session_id);

CREATE INDEX site_domains__site_id on site_domains (site_id);

CREATE INDEX spend__site_id__first_day on spend (site_id, first_day, id);

CREATE INDEX spend__site_id__import_id on spend (site_id, import_id) where import_id is not null;

CREATE INDEX statement_links__site_id__affiliate_id on statement_links (site_id, affiliate_id, month);

CREATE UNIQUE INDEX statement_links__site_id__id on statement_links (site_id, id);

CREATE INDEX sync_runs__ended_at on sync_runs (site_id, connection_id, id) where ended_at is null;

CREATE INDEX sync_runs__site_id__connection_id on sync_runs (site_id, connection_id, id);

CREATE INDEX sync_runs__site_id__status on sync_runs (site_id, status, id);

CREATE UNIQUE INDEX tokens__site_id__id on tokens (site_id, id);

CREATE INDEX touches__site_id__at on touches (site_id, at, starts_visit);

CREATE INDEX tracker_events__site_id__at on tracker_events (site_id, at);

CREATE INDEX tracker_events__site_id__client on tracker_events (site_id, client, at) where client is not null;

CREATE INDEX tracker_events__site_id__contact_id on tracker_events (site_id, contact_id, at) where contact_id is not null;

CREATE INDEX tracker_events__site_id__em on tracker_events (site_id, em, at) where em is not null;

CREATE INDEX tracker_events__site_id__ph on tracker_events (site_id, ph, at) where ph is not null;

CREATE UNIQUE INDEX tracker_events__site_id__source__event_id__event_name on tracker_events (site_id, source, event_id, event_name);
