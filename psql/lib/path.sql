-- Puts back the search_path, which :desk_safely has changed for the rest of a transaction if the caller has opened one.

SELECT pg_catalog.set_config('search_path', :'desk_search_path', true) AS desk_search_path \gset
