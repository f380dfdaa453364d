#![allow(missing_docs, dead_code)]
use abi::*; use witness::{Hash,Hasher}; use alloc::vec::Vec; use package::manifest::Metric;
#[derive(Debug)] pub struct SlotTree;
impl SlotTree { pub fn leaf(&self,_:u32)->Option<Hash>{None} pub fn root(&self)->Hash{[0;32]} pub fn depth(&self)->u32{1} pub fn sibling(&self,_:u32,_:u32)->Option<Hash>{None} pub fn root_with(&self,_:u32,_:Hash)->Option<Hash>{None} }
#[derive(Debug)] pub struct VectorTerms{pub dimension:u32,pub capacity:u32,pub metric:Metric}
#[derive(Debug)] pub struct VectorStore;
pub struct Entry<'a>{pub writes:u32,pub subject:u32,pub sequence:u32,pub coherence:f32,pub vector:&'a[f32]}
impl VectorStore { pub fn new(_:VectorTerms,_:Hasher)->Self{Self} pub fn bytes_needed(_:&VectorTerms)->u64{0} pub fn bytes(&self)->u64{0} pub fn find(&self,_:u64)->Option<u32>{None} pub fn place(&self,_:u64)->Option<u32>{None} pub fn entry(&self,_:u32)->Option<Entry<'_>>{None} pub fn check(&self,_:&Put<'_>)->Result<(),Error>{Ok(())} pub fn put(&mut self,_:&Put<'_>,_:(u32,u32))->u32{0} pub fn nearest(&mut self,_:&[u8],_:u32,_:bool,_:u32,_:&mut dyn FnMut(u64,f32,u32))->Result<u32,Error>{Ok(0)} pub fn len(&self)->u32{0} pub fn tree(&self)->&SlotTree{&SlotTree} pub fn terms(&self)->&VectorTerms{&VectorTerms{dimension:1,capacity:1,metric:Metric::L2}} pub fn most_visits(&self)->u32{0} pub fn risk(&self,_:u32)->u8{0} pub fn content(&self,_:u32)->Vec<u8>{Vec::new()} }
pub struct Put<'a>{pub slot:u32, pub b:&'a[u8]}
impl<'a> Put<'a>{pub fn parse(b:&'a[u8])->Result<Self,Error>{Ok(Self{slot:0,b})}}
#[derive(Debug)] pub struct GraphTerms{pub nodes:u32,pub edges:u32}
#[derive(Debug)] pub struct GraphStore;
pub struct Change{pub slot:u32,pub operation:Operation}
impl Change{pub fn parse(_:&[u8])->Result<Self,Error>{Ok(Self{slot:0,operation:Operation::AddNode})}}
pub struct Node{pub slot:u32,pub writes:u32,pub subject:u32,pub sequence:u32,pub degree:u32}
pub struct Edge{pub to:u64,pub weight:f32,pub slot:u32,pub writes:u32,pub subject:u32,pub sequence:u32}
impl GraphStore { pub fn new(_:GraphTerms,_:Hasher)->Self{Self} pub fn bytes_needed(_:&GraphTerms)->u64{0} pub fn bytes(&self)->u64{0} pub fn check(&self,_:&Change)->Result<(),Error>{Ok(())} pub fn apply(&mut self,_:&Change,_:(u32,u32))->Result<(),Error>{Ok(())} pub fn node(&self,_:u64)->Option<Node>{None} pub fn edge(&self,_:u64,_:u64)->Option<Edge>{None} pub fn place_node(&self,_:u64)->Option<u32>{None} pub fn place_edge(&self,_:u64,_:u64)->Option<u32>{None} pub fn out_edges(&self,_:u64,_:u64)->impl Iterator<Item=Edge>{core::iter::empty()} pub fn tree(&self)->&SlotTree{&SlotTree} pub fn risk(&self,_:u32)->u8{0} pub fn content(&self,_:u32)->Vec<u8>{Vec::new()} }
