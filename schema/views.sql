-- The documented names: what `halotrack sql` shows of one site, and what `halotrack sql --views` prints for the stock
-- shell. `{site}` stands for the site's number. Only functions of the stock sqlite3 (3.38 or newer) are used.
--
-- Temporary views: their names are free although real tables carry some of them, and nothing is written to the file.
-- Bodies say `main.` for real tables. Times are ISO 8601 in UTC; amounts are decimals of their own currency; `client_id`
-- is the site's slug. A view whose facts come with a platform that this version does not have yet keeps its columns and
-- has no rows.

-- ---------------------------------------------------------------- what the others lean on

create temp view halo_site as
select id, slug, currency, (select domain from main.site_domains d where d.site_id = {site} order by d.place limit 1) as domain
from main.sites where id = {site};

-- Minor units of one, where they are not a hundred (ISO 4217).
create temp view halo_units as
select column1 as currency, column2 as units from (values
  ('BIF', 1.0), ('CLP', 1.0), ('DJF', 1.0), ('GNF', 1.0), ('ISK', 1.0), ('JPY', 1.0), ('KMF', 1.0), ('KRW', 1.0),
  ('PYG', 1.0), ('RWF', 1.0), ('UGX', 1.0), ('UYI', 1.0), ('VND', 1.0), ('VUV', 1.0), ('XAF', 1.0), ('XOF', 1.0),
  ('XPF', 1.0), ('BHD', 1000.0), ('IQD', 1000.0), ('JOD', 1000.0), ('KWD', 1000.0), ('LYD', 1000.0), ('OMR', 1000.0),
  ('TND', 1000.0), ('CLF', 10000.0), ('UYW', 10000.0));

-- What each contact bought in the site's currency, net of refunds and cancellations.
create temp view halo_buyers as
select
  c.contact_id,
  count(distinct c.id) as purchases,
  sum(e.amount_minor) / coalesce((select u.units from temp.halo_units u where u.currency = e.currency), 100.0) as lifetime_value,
  min(c.happened_at) as first_at,
  max(c.happened_at) as last_at
from main.conversions c
join main.entries e on e.site_id = c.site_id and e.conversion_id = c.id
where c.site_id = {site} and c.kind = 'sale' and c.counts = 1 and c.contact_id is not null
  and e.currency = (select currency from temp.halo_site)
group by c.contact_id;

-- ---------------------------------------------------------------- visitors and leads (HALO)

create temp view sessions as
select
  s.key as session_id,
  (select slug from temp.halo_site) as client_id,
  f.source as ft_source,
  f.medium as ft_medium,
  f.campaign as ft_campaign,
  f.term as ft_term,
  f.content as ft_content,
  f.referrer as ft_referrer,
  f.landing as ft_landing,
  strftime('%Y-%m-%dT%H:%M:%SZ', f.at / 1000, 'unixepoch') as ft_timestamp,
  l.source as lt_source,
  l.medium as lt_medium,
  l.campaign as lt_campaign,
  l.term as lt_term,
  l.content as lt_content,
  l.referrer as lt_referrer,
  l.landing as lt_landing,
  strftime('%Y-%m-%dT%H:%M:%SZ', l.at / 1000, 'unixepoch') as lt_timestamp,
  (select k.value from main.clicks k where k.site_id = s.site_id and k.session_id = s.id and k.kind = 'gclid' order by k.at desc limit 1) as gclid,
  (select k.value from main.clicks k where k.site_id = s.site_id and k.session_id = s.id and k.kind = 'gbraid' order by k.at desc limit 1) as gbraid,
  (select k.value from main.clicks k where k.site_id = s.site_id and k.session_id = s.id and k.kind = 'wbraid' order by k.at desc limit 1) as wbraid,
  (select k.value from main.clicks k where k.site_id = s.site_id and k.session_id = s.id and k.kind = 'dclid' order by k.at desc limit 1) as dclid,
  (select k.value from main.clicks k where k.site_id = s.site_id and k.session_id = s.id and k.kind = 'fbclid' order by k.at desc limit 1) as fbclid,
  (select k.value from main.clicks k where k.site_id = s.site_id and k.session_id = s.id and k.kind = 'ttclid' order by k.at desc limit 1) as ttclid,
  (select k.value from main.clicks k where k.site_id = s.site_id and k.session_id = s.id and k.kind = 'msclkid' order by k.at desc limit 1) as msclkid,
  (select k.value from main.clicks k where k.site_id = s.site_id and k.session_id = s.id and k.kind = 'twclid' order by k.at desc limit 1) as twclid,
  (select k.value from main.clicks k where k.site_id = s.site_id and k.session_id = s.id and k.kind = 'li_fat_id' order by k.at desc limit 1) as li_fat_id,
  (select k.value from main.clicks k where k.site_id = s.site_id and k.session_id = s.id and k.kind = 'epik' order by k.at desc limit 1) as epik,
  (select k.value from main.clicks k where k.site_id = s.site_id and k.session_id = s.id and k.kind = 'ScCid' order by k.at desc limit 1) as sccid,
  (select k.value from main.clicks k where k.site_id = s.site_id and k.session_id = s.id and k.kind = 'rdt_cid' order by k.at desc limit 1) as rdt_cid,
  (select k.value from main.clicks k where k.site_id = s.site_id and k.session_id = s.id and k.kind = 'irclickid' order by k.at desc limit 1) as irclickid,
  (select k.value from main.clicks k where k.site_id = s.site_id and k.session_id = s.id and k.kind = 'at_gd' order by k.at desc limit 1) as at_gd,
  (select k.value from main.clicks k where k.site_id = s.site_id and k.session_id = s.id and k.kind = 'halo_click' order by k.at desc limit 1) as halo_click,
  s.fbc,
  s.fbp,
  (select p.value from main.session_people p where p.site_id = s.site_id and p.session_id = s.id and p.kind = 'email' order by p.at desc limit 1) as email,
  (select p.value from main.session_people p where p.site_id = s.site_id and p.session_id = s.id and p.kind = 'phone' order by p.at desc limit 1) as phone,
  (select p.value from main.session_people p where p.site_id = s.site_id and p.session_id = s.id and p.kind = 'customer_id' order by p.at desc limit 1) as external_id,
  s.device as device_type,
  s.browser,
  s.system as os,
  s.user_agent,
  s.country,
  s.region,
  s.city,
  s.language,
  s.ga_client_id,
  s.ga_session_id,
  case
    when 'denied' in (s.analytics, s.marketing) then 'denied'
    when s.analytics = 'granted' and s.marketing = 'granted' then 'granted'
    else 'unknown'
  end as consent_status,
  s.analytics as consent_analytics,
  s.marketing as consent_marketing,
  s.visits,
  s.page_views,
  s.touch_count,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.created_at / 1000, 'unixepoch') as created_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.last_seen_at / 1000, 'unixepoch') as updated_at
from main.sessions s
left join main.touches f on f.site_id = s.site_id and f.session_id = s.id and f.seq = s.first_seq
left join main.touches l on l.site_id = s.site_id and l.session_id = s.id and l.seq = s.last_seq
where s.site_id = {site};

create temp view anon_events as
select
  'anon_' || a.id as id,
  (select slug from temp.halo_site) as client_id,
  'page_view' as event_type,
  a.utm_source,
  a.utm_medium,
  a.utm_campaign,
  a.utm_term,
  a.utm_content,
  a.referrer_host as referrer_domain,
  a.path as page_path,
  a.country,
  a.device as device_type,
  strftime('%Y-%m-%dT%H:%M:%SZ', a.at / 1000, 'unixepoch') as created_at
from main.anon_events a
where a.site_id = {site};

create temp view leads as
select
  'lead_' || l.id as id,
  (select slug from temp.halo_site) as client_id,
  l.external_id as external_lead_id,
  l.source,
  l.email,
  l.phone,
  nullif(trim(coalesce(l.first_name, '') || ' ' || coalesce(l.last_name, '')), '') as name,
  l.first_name,
  l.last_name,
  l.company,
  l.message,
  l.form_type,
  l.value_minor / coalesce((select u.units from temp.halo_units u where u.currency = l.currency), 100.0) as value,
  l.currency,
  l.status,
  coalesce(v.match_type, 'none') as match_type,
  r.snapshot as attribution_data,
  r.snapshot->>'days_to_convert' as days_to_convert,
  (select s.key from main.sessions s where s.site_id = l.site_id and s.id = l.session_id) as session_id,
  l.consent_given,
  l.custom_fields,
  l.url,
  'conversion_' || l.conversion_id as conversion_id,
  strftime('%Y-%m-%dT%H:%M:%SZ', l.created_at / 1000, 'unixepoch') as created_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', l.received_at / 1000, 'unixepoch') as updated_at
from main.leads l
left join main.conversions v on v.site_id = l.site_id and v.id = l.conversion_id
left join main.credits r on r.site_id = v.site_id and r.conversion_id = v.id and r.run = v.run
where l.site_id = {site};

-- ---------------------------------------------------------------- orders and chat (SHOP)

create temp view orders as
select
  'order_' || o.id as id,
  (select slug from temp.halo_site) as client_id,
  -- The generic hook keeps the shop's word before the number.
  iif(substr(o.external_id, 1, length(o.platform) + 1) = o.platform || ':', substr(o.external_id, length(o.platform) + 2), o.external_id) as external_order_id,
  o.order_number,
  o.platform,
  o.status,
  o.is_paid,
  o.is_test,
  o.total_minor / coalesce((select u.units from temp.halo_units u where u.currency = o.currency), 100.0) as total_amount,
  (select sum(e.amount_minor) from main.entries e where e.site_id = o.site_id and e.conversion_id = o.conversion_id and e.currency = o.currency) / coalesce((select u.units from temp.halo_units u where u.currency = o.currency), 100.0) as net_amount,
  o.currency,
  o.email,
  o.phone,
  o.first_name,
  o.last_name,
  o.customer_id,
  (select json_group_array(json_object(
     'id', i.value->>'id', 'name', i.value->>'name', 'quantity', i.value->>'quantity',
     'price', (i.value->'price'->>'minor') / coalesce((select u.units from temp.halo_units u where u.currency = o.currency), 100.0)))
   from json_each(o.items) i) as items,
  o.coupons,
  o.country,
  coalesce(v.match_type, 'none') as match_type,
  r.snapshot as attribution_data,
  r.snapshot->>'days_to_convert' as days_to_convert,
  (select s.key from main.sessions s where s.site_id = o.site_id and s.id = o.session_id) as session_id,
  'conversion_' || o.conversion_id as conversion_id,
  strftime('%Y-%m-%dT%H:%M:%SZ', o.created_at / 1000, 'unixepoch') as created_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', o.modified_at / 1000, 'unixepoch') as updated_at
from main.orders o
left join main.conversions v on v.site_id = o.site_id and v.id = o.conversion_id
left join main.credits r on r.site_id = v.site_id and r.conversion_id = v.id and r.run = v.run
where o.site_id = {site}
  -- A payment is no order of its own where a shop has told of what it paid.
  and (o.rank <> 4 or not exists (select 1 from main.orders s where s.site_id = o.site_id and s.conversion_id = o.conversion_id and (s.rank = 3 or s.rank = 5)));

create temp view purchase_attributions as
select
  'order_' || o.id as id,
  (select slug from temp.halo_site) as client_id,
  t.external_id as conversation_id,
  o.email as customer_email,
  iif(substr(o.external_id, 1, length(o.platform) + 1) = o.platform || ':', substr(o.external_id, length(o.platform) + 2), o.external_id) as order_id,
  o.order_number,
  o.platform,
  o.total_minor / coalesce((select u.units from temp.halo_units u where u.currency = o.currency), 100.0) as order_total,
  o.currency,
  coalesce(a.confidence_bp, 0) / 10000.0 as attribution_confidence,
  coalesce(a.method, 'no_match') as attribution_method,
  coalesce(a.reason, 'No conversation of this person is known from before it.') as attribution_reasoning,
  json_object('status', o.status, 'coupons', json(o.coupons), 'items', json((select json_group_array(json_object(
       'id', i.value->>'id', 'name', i.value->>'name', 'quantity', i.value->>'quantity',
       'price', (i.value->'price'->>'minor') / coalesce((select u.units from temp.halo_units u where u.currency = o.currency), 100.0)))
     from json_each(o.items) i))) as order_metadata,
  strftime('%Y-%m-%dT%H:%M:%SZ', o.created_at / 1000, 'unixepoch') as order_created_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', coalesce(a.at, o.received_at) / 1000, 'unixepoch') as attributed_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', o.received_at / 1000, 'unixepoch') as created_at
from main.orders o
left join main.chat_assists a on a.site_id = o.site_id and a.conversion_id = o.conversion_id
left join main.conversations t on t.site_id = a.site_id and t.id = a.conversation_id
where o.site_id = {site} and o.is_paid = 1 and o.is_test = 0
  and (o.rank <> 4 or not exists (select 1 from main.orders s where s.site_id = o.site_id and s.conversion_id = o.conversion_id and (s.rank = 3 or s.rank = 5)));

create temp view customer_sessions as
select
  p.value as customer_email,
  (select slug from temp.halo_site) as client_id,
  s.key as session_id,
  (select domain from temp.halo_site) as domain,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.created_at / 1000, 'unixepoch') as first_seen_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.last_seen_at / 1000, 'unixepoch') as last_seen_at,
  (select count(*) from main.conversations t where t.site_id = s.site_id and t.session_id = s.id and t.messages > 0) as total_conversations,
  coalesce(b.purchases, 0) as total_purchases,
  coalesce(b.lifetime_value, 0.0) as lifetime_value,
  strftime('%Y-%m-%dT%H:%M:%SZ', b.last_at / 1000, 'unixepoch') as last_purchase_at,
  '{}' as customer_metadata
from main.session_people p
join main.sessions s on s.site_id = p.site_id and s.id = p.session_id
left join main.identities i on i.site_id = p.site_id and i.kind = 'email' and i.value = p.value
left join temp.halo_buyers b on b.contact_id = i.contact_id
where p.site_id = {site} and p.kind = 'email'
group by p.value, s.id;

-- One row a platform and currency; what the highest-ranked report of a sale says is its platform.
create temp view revenue_by_platform as
select
  x.platform,
  (select slug from temp.halo_site) as client_id,
  count(distinct case when x.is_own then x.id end) as order_count,
  sum(x.amount_minor) / coalesce((select u.units from temp.halo_units u where u.currency = x.currency), 100.0) as total_revenue,
  sum(x.amount_minor) * 1.0 / nullif(count(distinct case when x.is_own then x.id end), 0) / coalesce((select u.units from temp.halo_units u where u.currency = x.currency), 100.0) as average_order_value,
  count(distinct case when x.is_assisted then x.id end) as attributed_orders,
  sum(case when x.is_assisted then x.amount_minor else 0 end) / coalesce((select u.units from temp.halo_units u where u.currency = x.currency), 100.0) as attributed_revenue,
  x.currency
from (
  select
    c.id,
    exists (select 1 from main.chat_assists a where a.site_id = c.site_id and a.conversion_id = c.id and a.method <> 'no_match') as is_assisted,
    e.amount_minor,
    e.currency,
    -- What was told in another currency once is no order of it.
    c.currency = e.currency as is_own,
    (select r.platform from main.reports r where r.site_id = c.site_id and r.conversion_id = c.id order by r.rank desc, r.id limit 1) as platform
  from main.conversions c
  join main.entries e on e.site_id = c.site_id and e.conversion_id = c.id
  where c.site_id = {site} and c.kind = 'sale' and c.counts = 1
) x
group by x.platform, x.currency
having count(distinct case when x.is_own then x.id end) > 0 or sum(x.amount_minor) <> 0;

create temp view high_value_customers as
select
  k.email,
  (select slug from temp.halo_site) as client_id,
  b.purchases as total_purchases,
  b.lifetime_value,
  b.lifetime_value / b.purchases as average_order_value,
  strftime('%Y-%m-%dT%H:%M:%SZ', b.last_at / 1000, 'unixepoch') as last_purchase_at
from temp.halo_buyers b
join main.contacts k on k.site_id = {site} and k.id = b.contact_id
where b.lifetime_value > 500 and k.email is not null;

create temp view attribution_performance as
select
  a.attribution_method,
  (select slug from temp.halo_site) as client_id,
  case
    when a.attribution_confidence >= 0.85 then 'high'
    when a.attribution_confidence >= 0.65 then 'medium'
    when a.attribution_confidence >= 0.5 then 'low'
    else 'none'
  end as confidence_band,
  count(*) as order_count,
  sum(a.order_total) as total_revenue,
  avg(a.attribution_confidence) as average_confidence
from temp.purchase_attributions a
where a.currency = (select currency from temp.halo_site)
group by 1, 3;

-- ---------------------------------------------------------------- AnyTrack (AT-IN)

-- The events of each contact. Their values are added up in the site's currency where there are such, else in that of the
-- newest one.
create temp view halo_tracked as
select
  x.contact_id,
  x.events,
  x.first_id,
  x.last_id,
  (select sum(v.value_minor) from main.tracker_events v where v.site_id = {site} and v.contact_id = x.contact_id and v.currency = x.currency)
    / coalesce((select u.units from temp.halo_units u where u.currency = x.currency), 100.0) as total_value
from (
  select
    e.contact_id,
    count(*) as events,
    (select f.id from main.tracker_events f where f.site_id = {site} and f.contact_id = e.contact_id order by f.at, f.id limit 1) as first_id,
    (select l.id from main.tracker_events l where l.site_id = {site} and l.contact_id = e.contact_id order by l.at desc, l.id desc limit 1) as last_id,
    (select c.currency from main.tracker_events c where c.site_id = {site} and c.contact_id = e.contact_id and c.currency is not null
     order by c.currency = (select currency from temp.halo_site) desc, c.at desc, c.id desc limit 1) as currency
  from main.tracker_events e
  where e.site_id = {site} and e.contact_id is not null
  group by e.contact_id
) x;

-- The click that explains a lead which names no ad of its own: the newest one before it, of the same person or browser,
-- within 30 days. Worked out anew at each question, so that the order of arrival makes no difference.
create temp view halo_inherited as
select
  e.id,
  e.contact_id,
  e.at,
  (select c.id from (
     select m.id, m.at, m.event_name from main.tracker_events m
     where m.site_id = {site} and m.em = e.em and m.at < e.at and m.at >= e.at - 2592000000 and m.ad_id is not null
     union all
     select p.id, p.at, p.event_name from main.tracker_events p
     where p.site_id = {site} and p.ph = e.ph and p.at < e.at and p.at >= e.at - 2592000000 and p.ad_id is not null
     union all
     select b.id, b.at, b.event_name from main.tracker_events b
     where b.site_id = {site} and b.client = e.client and b.at < e.at and b.at >= e.at - 2592000000 and b.ad_id is not null
   ) c order by c.event_name = 'OutboundClick' desc, c.at desc, c.id desc limit 1) as click_id
from main.tracker_events e
where e.site_id = {site} and e.ad_id is null and e.event_name in ('Lead', 'CompleteRegistration');

create temp view contacts as
select
  'contact_' || k.id as id,
  (select slug from temp.halo_site) as client_id,
  k.email,
  k.phone,
  k.first_name,
  k.last_name,
  k.company,
  k.country,
  iif(fe.id is null or f.at < fe.at, f.source, coalesce(fe.custom->>'source_attribution', fe.source)) as first_touch_source,
  strftime('%Y-%m-%dT%H:%M:%SZ', iif(fe.id is null or f.at < fe.at, f.at, fe.at) / 1000, 'unixepoch') as first_touch_time,
  iif(le.id is null or l.at > le.at, l.source, coalesce(le.custom->>'source_attribution', le.source)) as last_touch_source,
  strftime('%Y-%m-%dT%H:%M:%SZ', iif(le.id is null or l.at > le.at, l.at, le.at) / 1000, 'unixepoch') as last_touch_time,
  iif(le.id is null or l.at > le.at, l.source, coalesce(le.custom->>'source_attribution', le.source)) as latest_traffic_source,
  -- Of whom a tracker tells, its events count; of the others what they bought and asked for.
  coalesce(t.events, (select count(*) from main.conversions c where c.site_id = k.site_id and c.contact_id = k.id)) as total_events,
  iif(t.contact_id is null, coalesce(b.lifetime_value, 0.0), coalesce(t.total_value, 0.0)) as total_value,
  a.ad_id as attributed_ad_id,
  a.ad_campaign_id as attributed_campaign_id,
  iif(a.id is null, null, a.source || '_linked') as attribution_source,
  strftime('%Y-%m-%dT%H:%M:%SZ', k.first_seen_at / 1000, 'unixepoch') as created_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', k.last_seen_at / 1000, 'unixepoch') as updated_at
from main.contacts k
left join temp.halo_buyers b on b.contact_id = k.id
left join temp.halo_tracked t on t.contact_id = k.id
left join main.tracker_events fe on fe.site_id = k.site_id and fe.id = t.first_id
left join main.tracker_events le on le.site_id = k.site_id and le.id = t.last_id
left join main.tracker_events a on a.site_id = k.site_id and a.id = (
  select i.click_id from temp.halo_inherited i where i.contact_id = k.id and i.click_id is not null order by i.at desc, i.id desc limit 1)
left join main.touches f on f.site_id = k.site_id and (f.session_id, f.seq) = (
  select s.id, s.first_seq from main.identities i
  join main.session_people p on p.site_id = i.site_id and p.kind = i.kind and p.value = i.value
  join main.sessions s on s.site_id = p.site_id and s.id = p.session_id
  join main.touches t on t.site_id = s.site_id and t.session_id = s.id and t.seq = s.first_seq
  where i.site_id = k.site_id and i.contact_id = k.id order by t.at, s.id limit 1)
left join main.touches l on l.site_id = k.site_id and (l.session_id, l.seq) = (
  select s.id, s.last_seq from main.identities i
  join main.session_people p on p.site_id = i.site_id and p.kind = i.kind and p.value = i.value
  join main.sessions s on s.site_id = p.site_id and s.id = p.session_id
  join main.touches t on t.site_id = s.site_id and t.session_id = s.id and t.seq = s.last_seq
  where i.site_id = k.site_id and i.contact_id = k.id order by t.is_direct, t.at desc, s.id limit 1)
where k.site_id = {site} and k.merged_into is null;

create temp view events as
select
  e.event_id,
  (select slug from temp.halo_site) as client_id,
  e.event_name,
  strftime('%Y-%m-%dT%H:%M:%fZ', e.at / 1000.0, 'unixepoch') as event_time,
  e.source,
  'completed' as status,
  json_patch('{}', json_object('em', e.em, 'ph', e.ph, 'fn', e.given, 'ln', e.family, 'external_id', e.external_id)) as user_data,
  e.custom,
  e.meta,
  e.changes,
  strftime('%Y-%m-%dT%H:%M:%fZ', e.received_at / 1000.0, 'unixepoch') as created_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(e.changed_at, e.received_at) / 1000.0, 'unixepoch') as updated_at
from main.tracker_events e
where e.site_id = {site};

create temp view attribution_events as
select
  e.event_id,
  (select slug from temp.halo_site) as client_id,
  e.event_name,
  strftime('%Y-%m-%dT%H:%M:%fZ', e.at / 1000.0, 'unixepoch') as event_time,
  k.email,
  k.phone,
  k.first_name,
  k.last_name,
  e.external_id,
  coalesce(e.value_minor / coalesce((select u.units from temp.halo_units u where u.currency = e.currency), 100.0), 0.0) as value,
  e.custom->>'currency' as currency,
  e.custom->>'transaction_id' as transaction_id,
  e.custom->>'order_id' as order_id,
  e.custom->'items' as items,
  coalesce(e.custom->>'source_attribution', e.source) as source,
  e.custom->>'medium' as medium,
  e.custom->>'campaign' as campaign,
  e.custom->>'source_attribution' as utm_source,
  e.custom->>'medium' as utm_medium,
  e.custom->>'campaign' as utm_campaign,
  e.content_word as utm_content,
  e.term as utm_term,
  e.source as platform,
  e.custom->>'source_attribution' as source_attribution,
  'completed' as status,
  e.meta->>'location' as landing_page,
  e.referrer,
  coalesce(e.ad_id, c.ad_id) as fb_ad_id,
  iif(c.id is null, e.ad_campaign_id, c.ad_campaign_id) as fb_campaign_id,
  iif(c.id is null, e.adset_id, c.adset_id) as fb_adset_id,
  iif(c.id is null, e.custom->>'campaign', c.custom->>'campaign') as fb_campaign_name,
  iif(c.id is null, e.ad_name, c.ad_name) as fb_ad_name,
  iif(c.id is null, e.adset_name, c.adset_name) as fb_adset_name,
  c.event_id as inherited_from,
  strftime('%Y-%m-%dT%H:%M:%fZ', e.received_at / 1000.0, 'unixepoch') as created_at
from main.tracker_events e
left join main.contacts k on k.site_id = e.site_id and k.id = e.contact_id
left join main.tracker_events c on c.site_id = e.site_id and c.id = (select i.click_id from temp.halo_inherited i where i.id = e.id)
where e.site_id = {site} and e.is_standard = 1;

create temp view sync_logs as
select
  'sync_' || s.id as id,
  (select slug from temp.halo_site) as client_id,
  s.platform,
  s.status,
  s.message,
  s.processed,
  s.errors,
  nullif(s.details, '[]') as error_details,
  strftime('%Y-%m-%dT%H:%M:%fZ', s.started_at / 1000.0, 'unixepoch') as started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', s.completed_at / 1000.0, 'unixepoch') as completed_at,
  s.completed_at - s.started_at as duration_ms
from main.tracker_calls s
where s.site_id = {site};

-- ---------------------------------------------------------------- sign-ups and bookings (FUNNEL)

-- Connections of the platforms that bring sign-ups and bookings.
create temp view funnel_sources as
select
  'con_' || n.id as id,
  (select slug from temp.halo_site) as client_id,
  n.name,
  n.platform as source_type,
  n.settings as config,
  n.status in ('ok', 'needs_attention') as is_active,
  p.next_at is not null as auto_sync_enabled,
  strftime('%Y-%m-%dT%H:%M:%SZ', r.ended_at / 1000, 'unixepoch') as last_sync_at,
  case r.status when 'cancelled' then 'partial' when 'broken_off' then 'failed' else r.status end as last_sync_status,
  coalesce(r.sentences ->> '$[0]', 'Read to its end: ' || r.created || ' new, ' || r.updated || ' changed.') as last_sync_message,
  strftime('%Y-%m-%dT%H:%M:%SZ', p.next_at / 1000, 'unixepoch') as next_sync_at,
  -- Of a schedule in five fields no plain SQL can tell; GET /sync/status does.
  cast(null as integer) as sync_frequency_hours,
  (select count(distinct m.contact_id) from main.milestones m where m.site_id = n.site_id and m.connection_id = n.id
     and m.undone_at is null) as total_leads_captured,
  (select count(distinct e.contact_id) from main.enrolments e where e.site_id = n.site_id
     and exists (select 1 from main.milestones m where m.site_id = e.site_id and m.contact_id = e.contact_id and m.connection_id = n.id
       and m.undone_at is null and m.at / 1000 <= e.at / 1000)) as total_conversions,
  strftime('%Y-%m-%dT%H:%M:%SZ', n.created_at / 1000, 'unixepoch') as created_at
from main.connections n
left join main.pulls p on p.site_id = n.site_id and p.connection_id = n.id
left join main.sync_runs r on r.site_id = n.site_id
  and r.id = (select max(x.id) from main.sync_runs x where x.site_id = n.site_id and x.connection_id = n.id and x.ended_at is not null)
where n.site_id = {site} and n.removed_at is null and n.platform in ('easyappointments', 'zoom', 'eventbrite', 'poshvip')
union all
-- What no connection brings: typed in, told by POST /funnel/event, or of a connection that was removed.
select
  s.word,
  (select slug from temp.halo_site),
  s.name,
  s.word,
  '{}',
  1,
  0,
  null,
  null,
  null,
  null,
  null,
  (select count(distinct m.contact_id) from main.milestones m where m.site_id = {site} and m.source = s.word and m.undone_at is null
     and not exists (select 1 from main.connections n where n.site_id = m.site_id and n.id = m.connection_id and n.removed_at is null)) as people,
  (select count(distinct e.contact_id) from main.enrolments e where e.site_id = {site}
     and exists (select 1 from main.milestones m where m.site_id = e.site_id and m.contact_id = e.contact_id and m.source = s.word
       and m.undone_at is null and m.at / 1000 <= e.at / 1000
       and not exists (select 1 from main.connections n where n.site_id = m.site_id and n.id = m.connection_id and n.removed_at is null))),
  (select strftime('%Y-%m-%dT%H:%M:%SZ', created_at / 1000, 'unixepoch') from main.sites where id = {site})
from (
  select 'manual' as word, 'Typed in by hand' as name
  union all select 'referral', 'Referrals'
  union all select 'direct_signup', 'Direct sign-ups'
  union all select 'easyappointments', 'Easy!Appointments, told without a connection'
  union all select 'zoom', 'Zoom, told without a connection'
  union all select 'eventbrite', 'Eventbrite, told without a connection'
  union all select 'poshvip', 'Posh, told without a connection'
) s
where people > 0;

create temp view funnel_events as
select
  'milestone_' || m.id as id,
  (select slug from temp.halo_site) as client_id,
  iif(m.connection_id > 0, 'con_' || m.connection_id, null) as funnel_source_id,
  m.source as source_type,
  m.kind as event_type,
  strftime('%Y-%m-%dT%H:%M:%SZ', m.at / 1000, 'unixepoch') as event_timestamp,
  m.external_id,
  m.email,
  m.first_name,
  m.last_name,
  m.phone,
  m.company,
  m.utm_source,
  m.utm_medium,
  m.utm_campaign,
  m.utm_content,
  m.utm_term,
  m.referrer,
  m.data as event_data,
  m.metadata as external_metadata,
  iif(m.contact_id > 0, 'contact_' || m.contact_id, null) as contact_id,
  'conversion_' || m.conversion_id as conversion_id,
  strftime('%Y-%m-%dT%H:%M:%SZ', m.received_at / 1000, 'unixepoch') as created_at
from main.milestones m
where m.site_id = {site} and m.undone_at is null;

create temp view funnel_conversions as
select
  'conversion_' || n.conversion_id as id,
  (select slug from temp.halo_site) as client_id,
  n.email,
  n.user_id,
  strftime('%Y-%m-%dT%H:%M:%SZ', n.at / 1000, 'unixepoch') as converted_at,
  n.first_source as first_touch_source_type,
  strftime('%Y-%m-%dT%H:%M:%SZ', n.first_at / 1000, 'unixepoch') as first_touch_at,
  n.last_source as last_touch_source_type,
  strftime('%Y-%m-%dT%H:%M:%SZ', n.last_at / 1000, 'unixepoch') as last_touch_at,
  n.days as days_to_conversion,
  n.milestones as total_touchpoints,
  n.estimated_usd_minor / 100.0 as estimated_value,
  -- What the person has really bought, in the site's currency, net of refunds.
  (select b.lifetime_value from temp.halo_buyers b where b.contact_id = n.contact_id) as actual_value,
  strftime('%Y-%m-%dT%H:%M:%SZ', n.received_at / 1000, 'unixepoch') as created_at
from main.enrolments n
where n.site_id = {site};

create temp view funnel_sync_logs as
select
  'run_' || r.id as id,
  (select slug from temp.halo_site) as client_id,
  'con_' || r.connection_id as funnel_source_id,
  r.asked as sync_type,
  -- The documents know running, success, partial and failed.
  case r.status when 'cancelled' then 'partial' when 'broken_off' then 'failed' else r.status end as sync_status,
  r.processed as leads_processed,
  r.created as leads_created,
  r.updated as leads_updated,
  r.skipped as leads_skipped,
  r.errors as errors_count,
  r.sentences as error_messages,
  strftime('%Y-%m-%dT%H:%M:%SZ', r.began_at / 1000, 'unixepoch') as started_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', r.ended_at / 1000, 'unixepoch') as completed_at,
  (r.ended_at - r.began_at) / 1000.0 as duration_seconds,
  strftime('%Y-%m-%dT%H:%M:%SZ', r.began_at / 1000, 'unixepoch') as created_at
from main.sync_runs r
where r.site_id = {site} and r.platform in ('easyappointments', 'zoom', 'eventbrite', 'poshvip');
