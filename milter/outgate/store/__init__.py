"""Redis: keys, scripts, the wire, the embedded server, and what stands in for it.

    keys        every key there is: name, type, life time, who writes it
    scripts     Lua files with contract headers, loaded and checked
    resp        commands as the server reads them
    wire        packed commands on pooled connections: the hot path
    counters    one look-up a message: operator's state, limits charged all or none
    breaker     stops asking a store that does not answer
    local       counters of this host in SQLite, for as long as the store is away
    front       the port that policy sees: the store, or what the operator chose instead
    orders      operator's state as the keeper reads it whole
    localcopy   the file through which keeper and workers share that
    outbox      records that must be kept, on disk before they are in Redis
    claims      which host tells something, and that it was told
    embedded    a private server, where no URL is configured

May import: `model`, `message`, `policy`; the libraries redis and hiredis. Every failure
is a `StoreError`; none of redis-py's crosses this wall.
"""
