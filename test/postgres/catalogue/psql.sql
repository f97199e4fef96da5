\d author
\d book
\d app.note
\d app.remark
\d cheap
\d app.counted
\d measure
\d measure_2024
\d measure_rest
\d place
\d place_south
\d app.tick
\d author_id_seq
\d loose
\d author_pkey
\d book_title
\d book_made
\d "Odd name"
\d pair
\d form
\d+ author
\d+ book
\d+ cheap
\d+ app.counted
\d+ measure
\d+ measure_2024
\d+ measure_rest
\d+ measure_late
\d+ place
\d+ place_south
\d+ app.tick
\d+ book_title
\d
\dt
\dt *.*note*
\dt app.*
\di
\dv
\dv app.*
\ds
\ds app.*
\dm
\dE
\dn app
\dn+ app
\df
\df+ add
\df app.*
\dT
\dT+
\dD
\dD+
\dD app.*
\dp author
\z book
\ddp
\dC date
\db
\da nosuch
\do nosuch
\dP
\dPi
\dRp
\dRs
\des
\dew
\det
\deu
\dF nosuch
\dy
\dX
\dc nosuch
\dd
\dl
\drds
\sf add
\sf+ authors
\sf app.both
\sf app.listed
\sv cheap
\sv+ app.counted
\d nosuch
\d+ v01
\d+ v02
\d+ v03
\d+ v04
\d+ v05
\d+ v06
\d+ v07
\d+ v08
\d+ v09
\d+ v10
\d+ v11
\d+ v12
\d+ v13
\d+ v14
\d+ v15
\d+ v16
\d+ v17
\d+ v18
\d+ v19
\d+ v20
\d+ v21
\d+ v22
\d+ v23
\d+ v24
\d+ v25
\d+ v26
\d+ v27
\d+ v28
\d+ v29
\d+ v30
\d+ v31
\d+ v32
\d+ v33
\d+ v34
\d+ v35
