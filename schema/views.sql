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
where o.site_id = {site};

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
where o.site_id = {site} and o.is_paid = 1 and o.is_test = 0;

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
  count(distinct x.id) as order_count,
  sum(x.amount_minor) / coalesce((select u.units from temp.halo_units u where u.currency = x.currency), 100.0) as total_revenue,
  sum(x.amount_minor) * 1.0 / count(distinct x.id) / coalesce((select u.units from temp.halo_units u where u.currency = x.currency), 100.0) as average_order_value,
  count(distinct case when x.is_assisted then x.id end) as attributed_orders,
  sum(case when x.is_assisted then x.amount_minor else 0 end) / coalesce((select u.units from temp.halo_units u where u.currency = x.currency), 100.0) as attributed_revenue,
  x.currency
from (
  select
    c.id,
    exists (select 1 from main.chat_assists a where a.site_id = c.site_id and a.conversion_id = c.id and a.method <> 'no_match') as is_assisted,
    e.amount_minor,
    e.currency,
    (select r.platform from main.reports r where r.site_id = c.site_id and r.conversion_id = c.id order by r.rank desc, r.id limit 1) as platform
  from main.conversions c
  join main.entries e on e.site_id = c.site_id and e.conversion_id = c.id
  where c.site_id = {site} and c.kind = 'sale' and c.counts = 1
) x
group by x.platform, x.currency;

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
  f.source as first_touch_source,
  strftime('%Y-%m-%dT%H:%M:%SZ', f.at / 1000, 'unixepoch') as first_touch_time,
  l.source as last_touch_source,
  strftime('%Y-%m-%dT%H:%M:%SZ', l.at / 1000, 'unixepoch') as last_touch_time,
  l.source as latest_traffic_source,
  (select count(*) from main.conversions c where c.site_id = k.site_id and c.contact_id = k.id) as total_events,
  coalesce(b.lifetime_value, 0.0) as total_value,
  strftime('%Y-%m-%dT%H:%M:%SZ', k.first_seen_at / 1000, 'unixepoch') as created_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', k.last_seen_at / 1000, 'unixepoch') as updated_at
from main.contacts k
left join temp.halo_buyers b on b.contact_id = k.id
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

-- No AnyTrack connection is there yet: the three below have no rows.
create temp view events as
select
  cast(null as text) as event_id,
  (select slug from temp.halo_site) as client_id,
  cast(null as text) as event_name,
  cast(null as text) as event_time,
  cast(null as text) as source,
  cast(null as text) as status,
  cast(null as text) as user_data,
  cast(null as text) as custom,
  cast(null as text) as meta,
  cast(null as text) as created_at
where 0;

create temp view attribution_events as
select
  cast(null as text) as event_id,
  (select slug from temp.halo_site) as client_id,
  cast(null as text) as event_name,
  cast(null as text) as event_time,
  cast(null as text) as email,
  cast(null as text) as phone,
  cast(null as text) as first_name,
  cast(null as text) as last_name,
  cast(null as text) as external_id,
  cast(null as real) as value,
  cast(null as text) as currency,
  cast(null as text) as transaction_id,
  cast(null as text) as order_id,
  cast(null as text) as items,
  cast(null as text) as source,
  cast(null as text) as medium,
  cast(null as text) as campaign,
  cast(null as text) as utm_source,
  cast(null as text) as utm_medium,
  cast(null as text) as utm_campaign,
  cast(null as text) as utm_content,
  cast(null as text) as utm_term,
  cast(null as text) as platform,
  cast(null as text) as source_attribution,
  cast(null as text) as status,
  cast(null as text) as landing_page,
  cast(null as text) as referrer,
  cast(null as text) as fb_ad_id,
  cast(null as text) as fb_campaign_id,
  cast(null as text) as fb_adset_id,
  cast(null as text) as fb_campaign_name,
  cast(null as text) as fb_ad_name,
  cast(null as text) as fb_adset_name,
  cast(null as text) as created_at
where 0;

create temp view sync_logs as
select
  cast(null as text) as id,
  (select slug from temp.halo_site) as client_id,
  cast(null as text) as platform,
  cast(null as text) as status,
  cast(null as text) as message,
  cast(null as text) as error_details,
  cast(null as text) as started_at,
  cast(null as text) as completed_at,
  cast(null as integer) as duration_ms
where 0;

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
  r.status as last_sync_status,
  coalesce(r.sentences ->> '$[0]', 'Read to its end: ' || r.created || ' new, ' || r.updated || ' changed.') as last_sync_message,
  strftime('%Y-%m-%dT%H:%M:%SZ', p.next_at / 1000, 'unixepoch') as next_sync_at,
  -- Of a schedule in five fields no plain SQL can tell; GET /sync/status does.
  cast(null as integer) as sync_frequency_hours,
  (select count(distinct m.contact_id) from main.milestones m where m.site_id = n.site_id and m.connection_id = n.id) as total_leads_captured,
  (select count(distinct e.contact_id) from main.enrolments e where e.site_id = n.site_id
     and exists (select 1 from main.milestones m where m.site_id = e.site_id and m.contact_id = e.contact_id and m.connection_id = n.id)) as total_conversions,
  strftime('%Y-%m-%dT%H:%M:%SZ', n.created_at / 1000, 'unixepoch') as created_at
from main.connections n
left join main.pulls p on p.site_id = n.site_id and p.connection_id = n.id
left join main.sync_runs r on r.site_id = n.site_id
  and r.id = (select max(x.id) from main.sync_runs x where x.site_id = n.site_id and x.connection_id = n.id and x.ended_at is not null)
where n.site_id = {site} and n.removed_at is null and n.platform in ('easyappointments', 'zoom', 'eventbrite', 'poshvip');

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
where m.site_id = {site};

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
  r.status as sync_status,
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
